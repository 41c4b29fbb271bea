import {setTimeout as sleep} from 'node:timers/promises';
import type {Logger} from '@muster/runtime/log.ts';
import {Gauge, type Registry} from 'prom-client';
import type {HardwareIntake, IntakeTally, TakeIn, Taken} from '../domain/hardware-intake.ts';
import {repeat} from '../repeat.ts';
import type {ReceiptPressure} from './receipt-pressure.ts';
import type {CountReport} from './report-settling.ts';

/** Finds what a server that died left, and what is tried again. */
const lookEveryMs = 1000;
const takersMax = 4;
/** Of one taker, before it is seen whether more of them are needed. */
const reportsOfTurnMax = 8;
/** So long receiving goes first. Then both go on side by side until nothing waits. */
const delayMsMax = 5000;
const pressurePollMs = 5;
/** Until a machine that somebody else holds is asked for again. */
const heldWaitMs = 20;
const heldWaitMsMax = 200;
const behindSeconds = 60;
const kind = 'inventory';

/**
 * Takes in the inventories that were received. Any number of servers may run it: of each machine one report at a time, in order. `wake(count)` when so
 * many more wait.
 */
export function startHardwareIntake({
  intake,
  takeIn,
  pressure,
  count,
  registry,
  log,
  delayMs = delayMsMax,
}: {
  readonly intake: Pick<HardwareIntake, 'takeNext' | 'hasDue' | 'tally'>;
  readonly takeIn: TakeIn;
  readonly pressure: Pick<ReceiptPressure, 'isBusy'>;
  readonly count: CountReport;
  readonly registry: Registry;
  readonly log: Logger;
  readonly delayMs?: number;
}): AsyncDisposable & {wake(count: number): void} {
  const watch = watchIntake(registry, log);
  /** As far as this server knows. */
  let waitingCount = 0;
  let lastLookMs = -Infinity;
  let deferredSinceMs: number | undefined;

  async function look(): Promise<void> {
    if (performance.now() - lastLookMs < lookEveryMs) return;
    lastLookMs = performance.now();
    const tally = await intake.tally();
    ({waitingCount} = tally);
    watch.tell(tally);
  }

  /** Waits while inventories are received, but not for ever: whoever waits for the first ones is told within seconds. */
  async function leaveToReceipts(signal: AbortSignal): Promise<void> {
    deferredSinceMs ??= performance.now();
    while (!signal.aborted && pressure.isBusy()) {
      if (performance.now() - deferredSinceMs >= delayMs) return;
      await pause(pressurePollMs, signal);
    }
  }

  /** False when nothing could be taken any more. */
  async function takeTurn(signal: AbortSignal): Promise<boolean> {
    for (let taken = 0; taken < reportsOfTurnMax && !signal.aborted; taken += 1) {
      await leaveToReceipts(signal);
      const one = await intake.takeNext(takeIn);
      if (!one) return false;
      waitingCount = Math.max(0, waitingCount - 1);
      tell(one);
    }
    return true;
  }

  function tell({report: {machineId, reportId}, junk, failure}: Taken): void {
    const ids = {machineId, reportId};
    if (junk !== undefined) {
      log.warn({...ids, why: junk}, 'report dropped');
      count('junk', kind);
    } else if (failure) {
      const {error, isLast} = failure;
      log[isLast ? 'error' : 'warn']({err: error, ...ids}, 'inventory not taken in');
      count(isLast ? 'given_up' : 'failed', kind);
    } else count('committed', kind);
  }

  async function drain(signal: AbortSignal): Promise<void> {
    let waitMs = heldWaitMs;
    await look();
    while (!signal.aborted && waitingCount > 0) {
      const takers = Array.from({length: Math.min(takersMax, waitingCount)}, () =>
        takeTurn(signal),
      );
      // All of them, also when one fails: the next turn begins with none at work.
      await Promise.allSettled(takers);
      const foundMore = (await Promise.all(takers)).every(Boolean);
      await look();
      if (foundMore) waitMs = heldWaitMs;
      else if (await intake.hasDue()) {
        await pause(waitMs, signal);
        waitMs = Math.min(waitMs * 2, heldWaitMsMax);
      } else break;
    }
    if (!signal.aborted) deferredSinceMs = undefined;
  }

  const draining = repeat({
    name: 'inventories',
    intervalMs: lookEveryMs,
    step: drain,
    log,
  });
  return {
    wake(more) {
      waitingCount += more;
      draining.wake();
    },
    [Symbol.asyncDispose]: () => draining[Symbol.asyncDispose](),
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, {signal}).catch(() => undefined);

/** Tells how many wait, and says so when that takes long. */
function watchIntake(registry: Registry, log: Logger) {
  const waiting = new Gauge({
    name: 'muster_inventories_waiting',
    help: 'Inventories that were received and are not yet taken in, of all servers',
    registers: [registry],
  });
  const oldest = new Gauge({
    name: 'muster_inventories_waiting_oldest_seconds',
    help: 'How long the oldest of them has been waiting; 0 while none is',
    registers: [registry],
  });
  let isBehind = false;
  return {
    tell({waitingCount, oldestSeconds}: IntakeTally): void {
      waiting.set(waitingCount);
      oldest.set(oldestSeconds);
      const wasBehind = isBehind;
      isBehind = oldestSeconds > behindSeconds;
      if (isBehind && !wasBehind)
        log.warn({waitingCount, oldestSeconds}, 'inventories are taken in late');
      if (wasBehind && !isBehind)
        log.info({waitingCount}, 'inventories are taken in again in time');
    },
  };
}
