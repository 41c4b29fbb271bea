import type {Logger} from '@muster/runtime/log.ts';
import {repeat} from '../repeat.ts';
import type {Database} from '../store/db.ts';
import {saveLastSeen} from '../store/presence.ts';
import {isUuid} from './ids.ts';

export type Presence = 'online' | 'offline' | 'unknown';

/** An agent reports every 10 s. */
export const offlineAfterMs = 30_000;
const flushEveryMs = 2000;
const waitingMax = 100_000;

/** How this server hears of agents. */
export type BusStatus = {
  readonly connected: boolean;
  /** When it became so. */
  readonly since: Date;
};

/** Unknown while the server cannot hear, and until agents had time to be heard again. */
export function presenceOf(
  lastSeenTime: Date | undefined,
  now: Date,
  {connected, since}: BusStatus,
): Presence {
  const silentMs = lastSeenTime ? now.getTime() - lastSeenTime.getTime() : Infinity;
  if (silentMs <= offlineAfterMs) return 'online';
  const listeningMs = connected ? now.getTime() - since.getTime() : 0;
  return listeningMs > offlineAfterMs ? 'offline' : 'unknown';
}

export type PresenceWriter = AsyncDisposable & {
  /** A report of this machine came, of whatever kind, at this time by the bus. */
  seen(machineId: string, time: Date): void;
};

/** Reports are frequent and rows are dear: the newest time of each machine is written every 2 s, and at the end. */
export function startPresenceWriter({
  sql,
  log,
}: {
  readonly sql: Database;
  readonly log: Logger;
}): PresenceWriter {
  let waiting = new Map<string, Date>();
  const flush = async () => {
    const batch = waiting;
    waiting = new Map();
    try {
      await saveLastSeen(
        sql,
        [...batch].map(([machineId, time]) => ({machineId, time})),
      );
    } catch (error) {
      for (const [machineId, time] of batch)
        if (!waiting.has(machineId)) waiting.set(machineId, time);
      throw error;
    }
  };
  const writing = repeat({name: 'presence', intervalMs: flushEveryMs, step: flush, log});
  return {
    seen(machineId, time) {
      if (!isUuid(machineId) || (waiting.size >= waitingMax && !waiting.has(machineId))) return;
      const known = waiting.get(machineId);
      if (!known || known < time) waiting.set(machineId, time);
    },
    async [Symbol.asyncDispose]() {
      await writing[Symbol.asyncDispose]();
      await flush().catch((error: unknown) => log.warn({err: error}, 'presence lost at stop'));
    },
  };
}
