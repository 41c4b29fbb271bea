import {DomainError} from '../errors.ts';
import type {NetworkPolicy} from '../clients/network-policy.ts';
import type {SendResult} from '../clients/webhook-sender.ts';

const waitMaxMs = 3_600_000;
/** The wait is up to so much shorter or longer, so that receivers that failed together do not come back together. */
const jitter = 0.2;
const gone = 410;

export type RetryRules = {
  /** The wait after the first failure; it doubles with each further one, up to an hour. */
  readonly firstWaitMs: number;
  /** Failing without a success for so long disables a webhook. */
  readonly disableAfterMs: number;
};

/** `random` is from 0 to 1. A receiver that says when to come back is heard. */
export function waitAfter(
  {firstWaitMs}: Pick<RetryRules, 'firstWaitMs'>,
  failure: {
    readonly failures: number;
    readonly retryAfterMs: number | undefined;
    readonly random: number;
  },
): number {
  const {failures, retryAfterMs = 0, random} = failure;
  const doubled = Math.min(firstWaitMs * 2 ** Math.min(failures - 1, 30), waitMaxMs);
  return Math.max(Math.round(doubled * (1 + jitter * (2 * random - 1))), retryAfterMs);
}

/** Why a webhook that failed is disabled now; undefined: it is not. */
export function reasonToDisable(
  {disableAfterMs}: Pick<RetryRules, 'disableAfterMs'>,
  {result, failingForMs}: {readonly result: SendResult; readonly failingForMs: number},
): string | undefined {
  if (result.statusCode === gone) return 'The receiver answered 410: it is gone';
  if (failingForMs < disableAfterMs) return undefined;
  return `Nothing was delivered for ${Math.round(failingForMs / 3_600_000)} hours; last: ${result.error}`;
}

/** Throws invalid_argument. What a name resolves to is judged when it is sent to. */
export function checkUrl(text: string, policy: NetworkPolicy): string {
  const fail = (problem: string): never => {
    throw new DomainError('invalid_argument', `Cannot use the URL: ${problem}`);
  };
  const url = URL.canParse(text) ? new URL(text) : fail('write http://… or https://…');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') fail('write http://… or https://…');
  if (url.username !== '' || url.password !== '')
    fail('it holds a user name or a password; send them as a header');
  if (url.hash !== '') fail('it holds a fragment ("#"), which is never sent');
  // The parser has read 0x7f.1, 2130706433 and the like as what they are.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const isAddress = host.includes(':') || /^[\d.]+$/.test(host);
  const refusal = isAddress ? policy.refusal(host) : undefined;
  if (refusal !== undefined) fail(`address ${host} is closed: ${refusal}`);
  return url.href;
}

/** What the journal, the audit and the log may know of a URL: paths and queries hold secrets of receivers. */
export const originOf = (url: string): string => new URL(url).origin;

const reservedHeaders =
  /^(host|content-length|content-type|content-encoding|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|proxy-.*|webhook-.*)$/;

/** Throws invalid_argument. */
export function checkHeaderNames(headerNames: readonly string[]): void {
  const lower = headerNames.map(name => name.toLowerCase());
  const reserved = lower.find(name => reservedHeaders.test(name));
  const twice = lower.find((name, index) => lower.indexOf(name) !== index);
  if (reserved !== undefined || twice !== undefined)
    throw new DomainError(
      'invalid_argument',
      reserved === undefined
        ? `Cannot send header "${twice}" twice: name it once`
        : `Cannot set header "${reserved}": the server sets it itself; take another name`,
    );
}
