import type {Event, WatchEventsResponse} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';

/** At most four times a second, however much happens. */
const flushMs = 250;
const retryMs = 2_000;
/** Kept in the page; the oldest go first. */
export const itemsMax = 4_000;
/** While somebody reads further up, nothing is taken away below this. */
const itemsWhileReadingMax = 12_000;
/** Of the past, so many at a time: what was asked for must not run away. */
export const replayedMax = 2_000;
/** What is shown at first of what was before. */
export const lookBackEvents = 500n;

export type FeedItem =
  | {readonly key: string; readonly event: Event}
  /** Events that are not shown: the server left them out, or too many came during a pause. */
  | {readonly key: string; readonly missed: {readonly from: bigint; readonly to: bigint}};

export type FeedState = {
  readonly items: readonly FeedItem[];
  readonly state: 'connecting' | 'replaying' | 'held' | 'live' | 'waiting' | 'refused';
  readonly isPaused: boolean;
  /** Came during the pause. */
  readonly waitingCount: number;
  readonly perSecond: number;
  readonly error: ConnectError | undefined;
};

export type OpenStream = (
  after: bigint | undefined,
  signal: AbortSignal,
) => AsyncIterable<WatchEventsResponse>;

export type EventFeed = ReturnType<typeof createEventFeed>;

/** The events of one question: what was, then what is. Rendered by whoever subscribes, at most every `flushMs`. */
export function createEventFeed(open: OpenStream, from: bigint | undefined) {
  const readers = new Set<() => void>();
  let stopping = new AbortController();
  let shown: FeedState = {
    items: [],
    state: 'connecting',
    isPaused: false,
    waitingCount: 0,
    perSecond: 0,
    error: undefined,
  };
  let fresh: FeedItem[] = [];
  let next: Partial<FeedState> = {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReading = false;
  let position = from;
  let goOn: (() => void) | undefined;
  let head: bigint | undefined;
  const rate = createRate();

  return {
    state: () => shown,
    subscribe(reader: () => void) {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    start() {
      if (stopping.signal.aborted) stopping = new AbortController();
      void follow();
    },
    stop() {
      stopping.abort();
      clearTimeout(timer);
      goOn?.();
    },
    setPaused: (isPaused: boolean) => change({isPaused}),
    /** Somebody looks at older ones: they stay where they are. */
    setReading(value: boolean) {
      isReading = value;
    },
    /** After `held`: the next ones take the place of these. */
    goOn: () => goOn?.(),
  };

  async function follow(): Promise<void> {
    const {signal} = stopping;
    while (!signal.aborted) {
      try {
        head ??= await headOf(signal);
        position ??= head > lookBackEvents ? head - lookBackEvents : 0n;
        await read(signal);
      } catch (error) {
        if (signal.aborted) return;
        const failure = ConnectError.from(error);
        const isFinal = [Code.InvalidArgument, Code.PermissionDenied, Code.Unauthenticated];
        if (isFinal.includes(failure.code)) return change({state: 'refused', error: failure});
      }
      if (signal.aborted) return;
      change({state: 'waiting'});
      await new Promise(resolve => setTimeout(resolve, retryMs));
    }
  }

  /** Where the journal ends now: the first thing that a stream of new events says. */
  async function headOf(signal: AbortSignal): Promise<bigint> {
    for await (const message of open(undefined, signal)) return message.position;
    return 0n;
  }

  async function read(signal: AbortSignal): Promise<void> {
    let replayed = 0;
    const isPast = () => from !== undefined && (position ?? 0n) < (head ?? 0n);
    change({state: isPast() ? 'replaying' : 'live', error: undefined});
    for await (const message of open(position, signal)) {
      const wasPast = isPast();
      position = message.position;
      take(message);
      if (!isPast()) {
        if (wasPast) change({state: 'live'});
        continue;
      }
      replayed += 1;
      if (replayed < replayedMax) continue;
      await held();
      replayed = 0;
      if (signal.aborted) return;
      change({state: 'replaying', items: []});
    }
  }

  function held(): Promise<void> {
    change({state: 'held'});
    const {promise, resolve} = Promise.withResolvers<void>();
    goOn = resolve;
    return promise;
  }

  function take({event, missed, position}: WatchEventsResponse): void {
    if (missed) fresh.push({key: `missed ${missed.from}`, missed});
    if (event) {
      // What was before is no rate of now.
      if (position > (head ?? 0n)) rate.count();
      fresh.push({key: String(position), event});
    }
    // While it is paused nothing more is kept than what would be shown.
    if (fresh.length > itemsMax * 2) fresh = cut(fresh);
    if (event || missed) schedule();
  }

  function change(part: Partial<FeedState>): void {
    next = {...next, ...part};
    schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(flush, flushMs);
  }

  function flush(): void {
    timer = undefined;
    if (stopping.signal.aborted) return;
    const state = {...shown, ...next};
    next = {};
    let items = state.items;
    if (!state.isPaused && fresh.length > 0) {
      items = [...items, ...fresh];
      fresh = [];
      if (items.length > (isReading ? itemsWhileReadingMax : itemsMax)) items = cut(items);
    }
    const perSecond = rate.perSecond();
    shown = {...state, items, waitingCount: fresh.length, perSecond};
    for (const reader of readers) reader();
    // The rate goes down also when nothing comes.
    if (perSecond > 0) schedule();
  }
}

/** The newest ones, with a mark in place of the rest. */
function cut(items: readonly FeedItem[]): FeedItem[] {
  const kept = items.slice(-itemsMax);
  const first = kept.find(item => 'event' in item);
  const dropped = items.slice(0, -itemsMax);
  const from = dropped.map(startOf).find(start => start !== undefined);
  if (!first || !('event' in first) || from === undefined) return kept;
  return [{key: `missed ${from}`, missed: {from, to: first.event.position - 1n}}, ...kept];
}

const startOf = (item: FeedItem): bigint | undefined =>
  'event' in item ? item.event.position : item.missed.from;

const rateWindowMs = 2_000;

/** Events a second over the last two. */
function createRate() {
  let times: number[] = [];
  const forget = (now: number) => {
    const first = times.findIndex(time => time > now - rateWindowMs);
    times = first < 0 ? [] : times.slice(first);
  };
  return {
    count: () => {
      const now = Date.now();
      times.push(now);
      if (times.length > 20_000) forget(now);
    },
    perSecond: () => {
      forget(Date.now());
      return Math.round((times.length * 1000) / rateWindowMs);
    },
  };
}
