import {type AgentService, RefusedError} from './agent-service.ts';
import {type Identity, signRenewal} from './identity.ts';
import {describeError, type Log} from './log.ts';
import {monotonicMs} from './monotonic.ts';
import {backoffMs, createWaker} from './waits.ts';

/** A timer of Node cannot wait longer than 24.8 days; no credential lives that long. */
const lifetimeSecondsMax = 7 * 24 * 3600;
const renewFrom = 0.5;
const renewSpread = 0.3;
const renewalPauseMinMs = 1000;
const retry = {firstMs: 1000, longestMs: 60_000} as const;
/** Early renewals asked for by failed logins come no closer together than this. */
const earlyRenewalPauseMs = 30_000;

/** At 50 to 80 % of the time, so that a fleet enrolled at once does not renew at once. */
export function renewalDelayMs(expiresInSeconds: number, random: number = Math.random()): number {
  const lifetimeMs = Math.min(expiresInSeconds, lifetimeSecondsMax) * 1000;
  return Math.max(renewalPauseMinMs, Math.round(lifetimeMs * (renewFrom + renewSpread * random)));
}

/**
 * Holds the NATS credential and renews it, by a monotonic timer and never by the clock, until the signal aborts (`ended` is then
 * "stopped") or the server knows the key no more ("revoked": enrol anew).
 */
export function keepCredential({
  service,
  identity,
  machineId,
  first,
  onRenewed,
  log,
  signal,
}: {
  readonly service: AgentService;
  readonly identity: Identity;
  readonly machineId: string;
  readonly first: {readonly jwt: string; readonly expiresInSeconds: number};
  readonly onRenewed: () => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}) {
  let {jwt} = first;
  const timer = createWaker();
  let earliestEarlyRenewalMs = 0;

  const renew = async (): Promise<number> => {
    const nonce = await service.createNonce({machineId});
    const signature = signRenewal(identity, machineId, nonce);
    const renewed = await service.renew({
      machineId,
      publicKey: identity.publicKey,
      nonce,
      signature,
    });
    jwt = renewed.jwt;
    log.info({expiresInSeconds: renewed.expiresInSeconds}, 'credential renewed');
    onRenewed();
    return renewalDelayMs(renewed.expiresInSeconds);
  };

  const keep = async (): Promise<'revoked' | 'stopped'> => {
    let delayMs = renewalDelayMs(first.expiresInSeconds);
    for (let attempt = 0; ;) {
      await timer.wait(delayMs, signal);
      if (signal.aborted) return 'stopped';
      try {
        delayMs = await renew();
        attempt = 0;
      } catch (error) {
        if (signal.aborted) return 'stopped';
        if (isRevoked(error)) return 'revoked';
        delayMs = backoffMs(attempt++, retry);
        log.warn({retryInMs: delayMs}, `cannot renew the credential: ${describeError(error)}`);
      }
    }
  };

  return {
    jwt: () => jwt,
    ended: keep(),
    /** NATS refused the login: the credential may have been revoked or have expired. Asks the server soon, but not often. */
    renewEarly(): void {
      if (monotonicMs() < earliestEarlyRenewalMs) return;
      earliestEarlyRenewalMs = monotonicMs() + earlyRenewalPauseMs;
      timer.wake();
    },
  };
}

/** The key is replaced or revoked, or the server has forgotten the machine. */
function isRevoked(error: unknown): boolean {
  return (
    error instanceof RefusedError &&
    (error.reason === 'REASON_KEY_REVOKED' || error.code === 'not_found')
  );
}
