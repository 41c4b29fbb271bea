import type {Client} from '@connectrpc/connect';
import type {
  BootClient,
  BootService,
  ResolveBootResponse,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Metrics} from './metrics.ts';
import {limitPerKey, limitPerSecond} from './rate-limit.ts';

/** A machine waits no longer for the server than this. */
export const resolveTimeoutMs = 2000;
const inFlightMax = 64;
const waitingMax = 2048;
const perAddressBurst = 500;
const perAddressPerSecond = 20;
const linesPerSecondMax = 5;

export type Resolver = ReturnType<typeof createResolver>;

/**
 * Asks the server about machines that the book cannot answer for. At most 64 questions at a time, 20 a second from one address; the same question is asked once for
 * all who wait for it. Undefined when no answer came within 2 s, the time in the queue included.
 */
export function createResolver({
  client,
  metrics,
  log,
}: {
  readonly client: () => Pick<Client<typeof BootService>, 'resolveBoot'> | undefined;
  readonly metrics: Metrics;
  readonly log: Logger;
}) {
  const pending = new Map<string, Promise<ResolveBootResponse | undefined>>();
  const waiting: (() => void)[] = [];
  let inFlight = 0;
  const nowMs = () => performance.now();
  const mayLog = limitPerSecond(linesPerSecondMax, nowMs);
  const mayAsk = limitPerKey({burst: perAddressBurst, perSecond: perAddressPerSecond, nowMs});

  async function ask(question: BootClient): Promise<ResolveBootResponse | undefined> {
    const boot = client();
    if (!boot) return undefined;
    if (!mayAsk(question.ipAddress)) {
      metrics.resolve('overflow');
      return undefined;
    }
    const deadlineMs = performance.now() + resolveTimeoutMs;
    if (inFlight >= inFlightMax) {
      if (waiting.length >= waitingMax) {
        metrics.resolve('overflow');
        return undefined;
      }
      await new Promise<void>(resolve => waiting.push(resolve));
    }

    inFlight++;
    try {
      const timeoutMs = Math.floor(deadlineMs - performance.now());
      if (timeoutMs <= 0) {
        metrics.resolve('overflow');
        return undefined;
      }
      const answer = await boot.resolveBoot({client: question}, {timeoutMs});
      metrics.resolve('answered');
      return answer;
    } catch (error) {
      metrics.resolve('failed');
      if (mayLog())
        log.warn(
          {err: error, macs: question.macAddresses},
          'the server did not answer a boot question',
        );
      return undefined;
    } finally {
      inFlight--;
      waiting.shift()?.();
    }
  }

  return function resolve(question: BootClient): Promise<ResolveBootResponse | undefined> {
    const {macAddresses, uuid, serial, session} = question;
    const key = JSON.stringify([macAddresses, uuid, serial, session]);
    let answer = pending.get(key);
    if (!answer) {
      answer = ask(question).finally(() => pending.delete(key));
      pending.set(key, answer);
    }
    return answer;
  };
}
