import {toBinary} from '@bufbuild/protobuf';
import {EventSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import {placeWaitingAudit} from './domain/audit-chain.ts';
import {placeWaitingEntries} from './domain/journal.ts';
import {repeat} from './repeat.ts';
import {toEventMessage} from './rpc/event-messages.ts';
import type {Database} from './store/db.ts';
import {
  createRelaySession,
  holdRelayLock,
  listUnpublished,
  markPublished,
  type RelaySession,
} from './store/journal.ts';
import {listenFor} from './store/notifications.ts';

const intervalMs = 2000;
const publishedPerMarkMax = 100;
/** Fewer than this were all that waited; what comes after them wakes the relay itself. */
const placedWhenMoreMayWait = 100;

/** Resolves when the bus has stored the message; rejects while it is away. The id lets the bus drop what it was told twice. */
export type PublishEvent = (
  subject: string,
  payload: Uint8Array,
  messageId: string,
) => Promise<void>;

/**
 * Carries the journal to the bus: committed rows get a gapless position and a link of the hash chain, then are published in that order. The audit's
 * rows get theirs in a chain of their own and go nowhere. Of several servers one does it at a time. Positions go on while the bus is away.
 */
export async function startRelay({
  sql,
  publish,
  isConnected = () => true,
  log,
}: {
  readonly sql: Database;
  readonly publish: PublishEvent;
  /** While it says no, nothing is published; `connected` says that it may go on. */
  readonly isConnected?: () => boolean;
  readonly log: Logger;
}): Promise<AsyncDisposable & {connected(): void}> {
  await using stack = new AsyncDisposableStack();
  const session = stack.use(createRelaySession(sql));

  const publishing = stack.use(
    repeat({
      name: 'publish events',
      intervalMs,
      log,
      step: async signal => {
        while (isConnected() && !signal.aborted && (await publishSome(session, publish, signal)));
      },
    }),
  );
  const placing = stack.use(
    repeat({
      name: 'place events',
      intervalMs,
      log,
      step: async signal => {
        for (let placed = placedWhenMoreMayWait; placed >= placedWhenMoreMayWait;) {
          if (signal.aborted) return;
          placed = await placeSome(session);
          if (placed > 0) publishing.wake();
        }
      },
    }),
  );
  stack.use(await listenFor(sql, 'events', placing.wake));

  const owned = stack.move();
  return {connected: publishing.wake, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** Gives how many. */
function placeSome(session: RelaySession): Promise<number> {
  return session.run(sql =>
    sql.begin(async tx => {
      if (!(await holdRelayLock(tx))) return 0;
      return (await placeWaitingEntries(tx)) + (await placeWaitingAudit(tx));
    }),
  );
}

/** One after the other, so that a failure leaves no gap behind. False when nothing is left to do; whoever places more wakes it again. */
async function publishSome(
  session: RelaySession,
  publish: PublishEvent,
  signal: AbortSignal,
): Promise<boolean> {
  const entries = await session.run(async sql =>
    (await holdRelayLock(sql)) ? listUnpublished(sql, publishedPerMarkMax) : [],
  );
  let last: number | undefined;
  let failure: unknown;
  for (const entry of entries) {
    if (signal.aborted) break;
    try {
      const payload = toBinary(EventSchema, toEventMessage(entry));
      await publish(subjects.event(entry.type), payload, entry.id);
      last = entry.position;
    } catch (error) {
      failure = error;
      break;
    }
  }
  const reached = last;
  if (reached !== undefined) await session.run(sql => markPublished(sql, reached));
  if (failure) throw failure;
  return entries.length === publishedPerMarkMax;
}
