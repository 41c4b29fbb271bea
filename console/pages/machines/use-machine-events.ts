import {type Event, EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {callUnaryMethod, useTransport} from '@connectrpc/connect-query';
import {useQuery, useQueryClient} from '@tanstack/react-query';
import {useLiveBatches} from '../../live/live.tsx';

const pageRows = 1000;
const pagesMax = 10;

/** Everything that the journal tells of a machine, the newest first; what comes is added. */
export function useMachineEvents(machineId: string) {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const queryKey = ['machine-events', machineId] as const;
  const query = useQuery({
    queryKey,
    staleTime: Infinity,
    queryFn: async ({signal}) => {
      const events: Event[] = [];
      let after = 0n;
      for (let page = 0; page < pagesMax; page += 1) {
        const {events: some} = await callUnaryMethod(
          transport,
          EventService.method.listEvents,
          {machineId, after, pageSize: pageRows},
          {signal},
        );
        events.push(...some);
        after = some.at(-1)?.position ?? after;
        if (some.length < pageRows) break;
      }
      return events.toReversed();
    },
  });
  useLiveBatches(({events, missed}) => {
    if (missed) void queryClient.invalidateQueries({queryKey});
    const fresh = events.filter(event => event.machineId === machineId).toReversed();
    if (fresh.length === 0) return;
    queryClient.setQueryData<readonly Event[]>(queryKey, old => {
      if (!old) return old;
      const known = new Set(old.map(({position}) => position));
      return [...fresh.filter(({position}) => !known.has(position)), ...old];
    });
  });
  return query;
}
