import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useEffect, useMemo, useSyncExternalStore} from 'react';
import {createEventFeed} from './event-feed.ts';

export type EventQuestion = {
  readonly filter: string;
  /** "machine.,build.failed" */
  readonly types: string;
  readonly machineId: string;
  /** Undefined: the newest ones. */
  readonly after: bigint | undefined;
};

/** A stream of its own: what the page asks for is not what the whole console follows. */
export function useEventFeed({filter, types, machineId, after}: EventQuestion) {
  const transport = useTransport();
  const feed = useMemo(() => {
    const client = createClient(EventService, transport);
    return createEventFeed(
      (from, signal) =>
        client.watchEvents(
          {
            filter,
            machineId,
            types: types === '' ? [] : types.split(','),
            ...(from !== undefined && {after: from}),
          },
          {signal},
        ),
      after,
    );
  }, [transport, filter, types, machineId, after]);
  useEffect(() => {
    feed.start();
    return feed.stop;
  }, [feed]);
  const state = useSyncExternalStore(feed.subscribe, feed.state);
  return {feed, ...state};
}
