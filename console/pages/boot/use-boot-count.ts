import {BootService, type BootSession_State as State} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';

/** How many boots there are like that; undefined while nobody knows. The server counts up to 10,000. */
export function useBootCount(states: State[], since = ''): number | undefined {
  const {data} = useQuery(
    BootService.method.listBootSessions,
    {states, since, pageSize: 1, countTotal: true},
    {placeholderData: keepPreviousData},
  );
  return data?.totalSize;
}
