import {isIPv6} from 'node:net';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import * as store from '../store/login-failures.ts';
import {hasSessionFrom} from '../store/sessions.ts';

const forgetAfterMs = 3_600_000;
const waitFirstMs = 1000;
const waitMaxMs = 15 * 60_000;

/** Failures that cost nothing yet. An account alone has many, so that a stranger cannot easily lock somebody out. */
const freeFailures = {pair: 5, address: 30, account: 100} as const;

type Scope = keyof typeof freeFailures;

/** After the free failures each one doubles the wait, from 1 s to 15 min. */
export function waitMsAfter(scope: Scope, count: number): number {
  const excess = count - freeFailures[scope];
  return excess < 0 ? 0 : Math.min(waitFirstMs * 2 ** Math.min(excess, 20), waitMaxMs);
}

/** An IPv6 site has the whole /64. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array.from({length: zeros}, () => '0'), ...after];
  return all
    .slice(0, 4)
    .map(group => Number.parseInt(group, 16).toString(16))
    .join(':');
}

function keysOf(username: string, address: string): Readonly<Record<Scope, string>> {
  const network = networkOf(address);
  return {
    pair: `pair:${username}@${network}`,
    address: `address:${network}`,
    account: `account:${username}`,
  };
}

type Attempt = {readonly username: string; readonly address: string; readonly now: Date};

/**
 * Throws "resource_exhausted" while this account or address has to wait. Where its owner has signed in before, only the failures of this account
 * from this address count: strangers can cause the wait of an account as such, and neighbours that of an address.
 */
export async function assertMayLogIn(sql: Sql, {username, address, now}: Attempt): Promise<void> {
  const keys = keysOf(username, address);
  const rows = await store.listLoginFailures(sql, Object.values(keys));
  const waits = rows.map(({key, count, lastTime}) => {
    const scope = scopes.find(name => keys[name] === key) ?? 'pair';
    return {scope, ms: lastTime.getTime() + waitMsAfter(scope, count) - now.getTime()};
  });
  const due = waits.filter(({ms}) => ms > 0);
  if (due.length === 0) return;
  const byOthers = due.every(({scope}) => scope !== 'pair');
  if (byOthers && (await hasSessionFrom(sql, username, address))) return;

  const seconds = Math.ceil(Math.max(...due.map(({ms}) => ms)) / 1000);
  throw new DomainError(
    'resource_exhausted',
    `Cannot sign in as "${username}": too many failed attempts; try again in ${seconds} seconds`,
    {retryAfterSeconds: seconds},
  );
}

const scopes = ['pair', 'address', 'account'] as const satisfies readonly Scope[];

export async function countFailedLogin(sql: Sql, {username, address, now}: Attempt): Promise<void> {
  const forgetBefore = new Date(now.getTime() - forgetAfterMs);
  const keys = Object.values(keysOf(username, address)).sort();
  await store.countLoginFailure(sql, keys, {time: now, forgetBefore});
}

/** The address keeps its count: it may try other accounts. */
export async function forgetFailedLogins(
  sql: Sql,
  {username, address}: Pick<Attempt, 'username' | 'address'>,
): Promise<void> {
  const {pair, account} = keysOf(username, address);
  await store.clearLoginFailures(sql, [pair, account]);
}

/** Of the account from everywhere: an administrator has given it a new password. */
export async function forgetFailedLoginsOf(sql: Sql, username: string): Promise<void> {
  await store.clearLoginFailuresOf(sql, username);
}
