import {isIPv6} from 'node:net';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import * as store from '../store/login-failures.ts';

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
function networkOf(address: string): string {
  return isIPv6(address) ? address.split(':').slice(0, 4).join(':') : address;
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

/** Throws "resource_exhausted" while this account or address has to wait. */
export async function assertMayLogIn(sql: Sql, {username, address, now}: Attempt): Promise<void> {
  const keys = keysOf(username, address);
  const rows = await store.listLoginFailures(sql, Object.values(keys));
  const waits = rows.map(({key, count, lastTime}) => {
    const scope = scopes.find(name => keys[name] === key) ?? 'pair';
    return lastTime.getTime() + waitMsAfter(scope, count) - now.getTime();
  });
  const waitMs = Math.max(0, ...waits);
  if (waitMs > 0)
    throw new DomainError(
      'resource_exhausted',
      `Cannot sign in as "${username}": too many failed attempts; try again in ${Math.ceil(waitMs / 1000)} seconds`,
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
