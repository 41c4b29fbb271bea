import {argon2, randomBytes, timingSafeEqual} from 'node:crypto';
import {promisify} from 'node:util';
import {DomainError} from '../errors.ts';

/** OWASP's first choice for argon2id (RFC 9106): 19 MiB, 2 passes, 1 lane; about 80 ms. */
const cost = {memory: 19_456, passes: 2, parallelism: 1};
const saltBytes = 16;
const tagLength = 32;

const runningMax = 4;
const waitingMax = 64;

const derive = promisify(argon2);

/** A PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await limited(() =>
    derive('argon2id', {message: Buffer.from(password), nonce: salt, tagLength, ...cost}),
  );
  const {memory, passes, parallelism} = cost;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`;
}

/** Takes as long when there is no such user (`stored` undefined): the time must not tell names. */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
): Promise<boolean> {
  const {salt, hash, ...parameters} = parsePhc(stored ?? decoy);
  const given = await limited(() =>
    derive('argon2id', {
      message: Buffer.from(password),
      nonce: salt,
      tagLength: hash.length,
      ...parameters,
    }),
  );
  return timingSafeEqual(given, hash) && stored !== undefined;
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replaceAll('=', '');

/** Nobody's password: its hash is no output of argon2. */
const decoy = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=1$${base64(Buffer.alloc(saltBytes))}$${base64(Buffer.alloc(tagLength))}`;

function parsePhc(text: string) {
  const [, memory, passes, parallelism, salt, hash] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(text) ?? [];
  if (!salt || !hash) throw new Error('Cannot read a stored password: no argon2id PHC string');
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

let running = 0;
const waiting: (() => void)[] = [];

/** Each takes 19 MiB and a thread: a flood of sign-ins waits, and beyond that is turned away. */
async function limited<T>(work: () => Promise<T>): Promise<T> {
  if (running >= runningMax) {
    if (waiting.length >= waitingMax)
      throw new DomainError(
        'resource_exhausted',
        'Cannot check the password now: too many people sign in; try again in a few seconds',
      );
    await new Promise<void>(resolve => waiting.push(resolve));
  } else running += 1;
  try {
    return await work();
  } finally {
    // The place goes to the next in line.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}
