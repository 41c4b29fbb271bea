import {createHmac, randomBytes} from 'node:crypto';
import {findPasswordHash, findUserByName} from '../store/users.ts';
import type {Deps} from './deps.ts';
import type {Credentials, PasswordCheck} from './password-check.ts';

const rememberedMax = 1000;
const rememberedMs = 5 * 60_000;

/**
 * For scripts that send the password with each request: what was right is remembered for some minutes, as a keyed digest in this process, so
 * that each request does not cost 80 ms and 19 MiB. A changed password and a disabled user count at once. The same guess sent many times at
 * once is one guess.
 */
export function rememberPasswords({
  sql,
  now,
  checkPassword,
}: Pick<Deps, 'sql' | 'now'> & {readonly checkPassword: PasswordCheck}): PasswordCheck {
  const key = randomBytes(32);
  const known = new Map<string, {readonly untilMs: number; readonly checked: Promise<unknown>}>();

  const digest = ({username, password}: Credentials, hash: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([username, password, hash]))
      .digest('base64');

  function remember(name: string, checked: Promise<unknown>): void {
    known.set(name, {untilMs: now().getTime() + rememberedMs, checked});
    const [oldest] = known.keys();
    if (known.size > rememberedMax && oldest !== undefined) known.delete(oldest);
    checked.catch(() => known.delete(name));
  }

  return async (credentials, address) => {
    const hash = await findPasswordHash(sql, credentials.username);
    if (hash === undefined) return checkPassword(credentials, address);

    const name = digest(credentials, hash);
    const entry = known.get(name);
    if (!entry || entry.untilMs <= now().getTime()) {
      known.delete(name);
      const checked = checkPassword(credentials, address);
      remember(name, checked);
      return checked;
    }
    await entry.checked;
    const user = await findUserByName(sql, credentials.username);
    // The slow way says what is wrong.
    return user && !user.disabled ? user : checkPassword(credentials, address);
  };
}
