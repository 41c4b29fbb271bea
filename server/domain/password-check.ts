import {DomainError} from '../errors.ts';
import {findPasswordHash, findUserByName, type UserRow} from '../store/users.ts';
import type {Deps} from './deps.ts';
import {assertMayLogIn, countFailedLogin, forgetFailedLogins, networkOf} from './login-throttle.ts';
import {verifyPassword} from './passwords.ts';

export type Credentials = {readonly username: string; readonly password: string};

/** Throttled; throws "unauthenticated" with one sentence for a wrong name and a wrong password. */
export type PasswordCheck = (credentials: Credentials, address: string) => Promise<UserRow>;

export function createPasswordCheck({sql, now}: Pick<Deps, 'sql' | 'now'>): PasswordCheck {
  const inTurn = createTurns();

  // One after another from each network: guesses sent at once would all pass before the first has failed.
  return ({username, password}, address) =>
    inTurn(networkOf(address), async () => {
      const attempt = {username, address, now: now()};
      await assertMayLogIn(sql, attempt);
      const matches = await verifyPassword(password, await findPasswordHash(sql, username));
      const user = matches ? await findUserByName(sql, username) : undefined;
      if (!user) {
        await countFailedLogin(sql, attempt);
        throw new DomainError(
          'unauthenticated',
          `Cannot sign in as "${username}": the name or the password is wrong`,
        );
      }
      if (user.disabled)
        throw new DomainError(
          'permission_denied',
          `Cannot sign in as "${username}": the account is disabled; ask an administrator`,
        );
      await forgetFailedLogins(sql, attempt);
      return user;
    });
}

const waitingPerKeyMax = 64;

/** Runs what has the same key one after another. It remembers only keys that somebody waits for. */
function createTurns() {
  const queues = new Map<string, {tail: Promise<unknown>; waiting: number}>();

  return async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const queue = queues.get(key) ?? {tail: Promise.resolve(), waiting: 0};
    if (queue.waiting >= waitingPerKeyMax)
      throw new DomainError(
        'resource_exhausted',
        'Cannot check the password now: too many people sign in from this address; try again in a few seconds',
        {retryAfterSeconds: 5},
      );
    queues.set(key, queue);
    queue.waiting += 1;
    const result = queue.tail.then(work);
    queue.tail = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      queue.waiting -= 1;
      if (queue.waiting === 0) queues.delete(key);
    }
  };
}
