import {type Event, EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useEffect, useMemo, useState} from 'react';
import {useEventStream, useLiveBatches, useLiveState} from './live.tsx';

type RecentOptions = {
  /** How far back the journal is read at first; at most 1000. */
  readonly lookBack: number;
  readonly keepMax: number;
  /** Must be a stable function. */
  readonly isWanted: (event: Event) => boolean;
};

/** The newest events of a kind, the newest first: those of before, then what comes. */
export function useRecentEvents({lookBack, keepMax, isWanted}: RecentOptions): readonly Event[] {
  const transport = useTransport();
  const client = useMemo(() => createClient(EventService, transport), [transport]);
  const {position} = useEventStream();
  const isLive = useLiveState() === 'live';
  const [events, setEvents] = useState<readonly Event[]>([]);

  useEffect(() => {
    const at = position();
    if (!isLive || at === undefined) return undefined;
    const stopping = new AbortController();
    const after = at > BigInt(lookBack) ? at - BigInt(lookBack) : 0n;
    client
      .listEvents({after, pageSize: lookBack}, {signal: stopping.signal})
      .then(({events: before}) =>
        setEvents(shown => joined(before.filter(isWanted), shown, keepMax)),
      )
      // Older ones are gone by retention, or the server is away: what comes is shown all the same.
      .catch(() => undefined);
    return () => stopping.abort();
  }, [client, isLive, position, lookBack, keepMax, isWanted]);

  useLiveBatches(({events: fresh}) => {
    const wanted = fresh.filter(isWanted);
    if (wanted.length > 0) setEvents(shown => joined(wanted, shown, keepMax));
  });
  return events;
}

/** Each event once, the newest first. */
function joined(
  some: readonly Event[],
  others: readonly Event[],
  keepMax: number,
): readonly Event[] {
  const byPosition = new Map([...some, ...others].map(event => [event.position, event]));
  return [...byPosition.values()]
    .toSorted((a, b) => Number(b.position - a.position))
    .slice(0, keepMax);
}
