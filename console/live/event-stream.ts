import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Code, ConnectError, createClient, type Transport} from '@connectrpc/connect';

export type LiveState = 'connecting' | 'live' | 'waiting' | 'off';

/** What came since the last time; `missed` means that more happened than was told. */
export type LiveBatch = {readonly events: readonly Event[]; readonly missed: boolean};
type Reader = (batch: LiveBatch) => void;

/** At most four times a second, however much happens. */
const batchMs = 250;
const retryMinMs = 500;
const retryMaxMs = 15_000;
/** A hidden page keeps no more than this between two batches. */
const eventsMax = 5_000;

export type EventStream = {
  readonly start: () => void;
  readonly stop: () => void;
  readonly state: () => LiveState;
  /** Up to where the journal is known; undefined before the first answer. */
  readonly position: () => bigint | undefined;
  readonly onState: (reader: () => void) => () => void;
  readonly onBatch: (reader: Reader) => () => void;
};

/**
 * The journal of the server, one stream for the whole tab. After a break it goes on where it was; when the server says that events are
 * gone, readers are told that they missed some and load their things again.
 */
export function createEventStream(transport: Transport): EventStream {
  const client = createClient(EventService, transport);
  const stateReaders = new Set<() => void>();
  const batchReaders = new Set<Reader>();
  let state: LiveState = 'off';
  let stopping: AbortController | undefined;
  let position: bigint | undefined;
  let events: Event[] = [];
  let missed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  return {
    start() {
      if (stopping) return;
      stopping = new AbortController();
      void follow(stopping.signal);
    },
    stop() {
      stopping?.abort();
      stopping = undefined;
      clearTimeout(timer);
      timer = undefined;
      events = [];
      missed = false;
      position = undefined;
      setState('off');
    },
    state: () => state,
    position: () => position,
    onState: reader => subscribe(stateReaders, reader),
    onBatch: reader => subscribe(batchReaders, reader),
  };

  async function follow(signal: AbortSignal): Promise<void> {
    let retryMs = retryMinMs;
    while (!signal.aborted) {
      setState('connecting');
      try {
        for await (const message of client.watchEvents(
          position === undefined ? {} : {after: position},
          {signal},
        )) {
          retryMs = retryMinMs;
          position = message.position;
          setState('live');
          if (message.missed) missed = true;
          if (message.event) events.push(message.event);
          if (message.event || message.missed) schedule();
        }
      } catch (error) {
        if (signal.aborted) return;
        const {code} = ConnectError.from(error);
        // Nobody any more: the sign-in page comes up. A lost position: from now on, and everything anew.
        if (code === Code.Unauthenticated) return setState('off');
        if (code === Code.FailedPrecondition || code === Code.OutOfRange) {
          position = undefined;
          missed = true;
          schedule();
        }
      }
      if (signal.aborted) return;
      setState('waiting');
      await pause(retryMs, signal);
      retryMs = Math.min(retryMs * 2, retryMaxMs);
    }
  }

  function schedule(): void {
    if (events.length > eventsMax) {
      events = [];
      missed = true;
    }
    timer ??= setTimeout(flush, batchMs);
  }

  function flush(): void {
    timer = undefined;
    const batch = {events, missed};
    events = [];
    missed = false;
    for (const reader of batchReaders) reader(batch);
  }

  function setState(next: LiveState): void {
    if (next === state) return;
    state = next;
    for (const reader of stateReaders) reader();
  }
}

function subscribe<T>(readers: Set<T>, reader: T): () => void {
  readers.add(reader);
  return () => readers.delete(reader);
}

/** Ends early when the browser has a network again. */
function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, durationMs);
  const end = () => resolve();
  signal.addEventListener('abort', end, {once: true});
  globalThis.addEventListener?.('online', end, {once: true});
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    globalThis.removeEventListener?.('online', end);
  });
}
