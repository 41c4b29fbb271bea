import {type Event, EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Code, ConnectError, createClient, type Transport} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useEffect, useState} from 'react';
import {type BootJournal, emptyJournal, foldBootEvents} from './boot-journal.ts';

/** How far back in the journal is looked. */
export const lookBackEvents = 50_000;
const flushMs = 250;
const retryMs = 2_000;
/** The server does not say where the past ends: by then it has told it. */
const settleMs = 1_000;

export type BootJournalState = {
  readonly journal: BootJournal;
  readonly isLoading: boolean;
  readonly error: unknown;
  /** Events before this one were not looked at. */
  readonly since: bigint;
};
const atFirst: BootJournalState = {
  journal: emptyJournal,
  isLoading: true,
  error: undefined,
  since: 0n,
};

/** The boots that are under way and the decisions that wait, of everybody: what the newest events tell, and then live. */
export function useBootJournal(): BootJournalState {
  const transport = useTransport();
  const [state, setState] = useState(atFirst);
  useEffect(() => {
    const stopping = new AbortController();
    void follow(transport, stopping.signal, change => setState(change));
    return () => stopping.abort();
  }, [transport]);
  return state;
}

type Change = (change: (old: BootJournalState) => BootJournalState) => void;

async function follow(transport: Transport, signal: AbortSignal, change: Change): Promise<void> {
  const client = createClient(EventService, transport);
  while (!signal.aborted) {
    try {
      const head = await headOf(client, signal);
      const after = head > BigInt(lookBackEvents) ? head - BigInt(lookBackEvents) : 0n;
      change(() => ({...atFirst, since: after}));
      using gathering = gather(events =>
        change(old => ({
          ...old,
          isLoading: false,
          error: undefined,
          journal: foldBootEvents(old.journal, events),
        })),
      );
      for await (const {event} of client.watchEvents({after, typePrefix: 'boot_'}, {signal}))
        if (event) gathering.add(event);
    } catch (error) {
      if (signal.aborted) return;
      const {code} = ConnectError.from(error);
      if (code === Code.Unauthenticated) return;
      change(old => ({...old, isLoading: false, error}));
    }
    if (!signal.aborted) await new Promise(resolve => setTimeout(resolve, retryMs));
  }
}

/** Where the journal ends now: the first thing that a stream of new events says. */
async function headOf(
  client: ReturnType<typeof createClient<typeof EventService>>,
  signal: AbortSignal,
): Promise<bigint> {
  for await (const {position} of client.watchEvents({}, {signal})) return position;
  return 0n;
}

function gather(tell: (events: readonly Event[]) => void) {
  let events: Event[] = [];
  const flush = () => {
    timer = undefined;
    const told = events;
    events = [];
    tell(told);
  };
  let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(flush, settleMs);
  let isFirst = true;
  return {
    add(event: Event) {
      events.push(event);
      if (isFirst) {
        isFirst = false;
        clearTimeout(timer);
        timer = undefined;
      }
      timer ??= setTimeout(flush, flushMs);
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
