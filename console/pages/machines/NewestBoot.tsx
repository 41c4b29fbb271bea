import {
  BootService,
  BootSession_State as SessionState,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Card} from '../../ui/blocks.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {BootTimeline} from './BootTimeline.tsx';

/** Hops come without events: only the beginning and the end of a boot are told. */
export const bootAgainMs = 2_000;

export function NewestBoot({machineId}: {readonly machineId: string}) {
  const {data, error, refetch} = useQuery(
    BootService.method.listBootSessions,
    {machineId, pageSize: 1},
    {
      refetchInterval: ({state}) =>
        state.data?.bootSessions[0]?.state === SessionState.OPEN ? bootAgainMs : false,
    },
  );
  const session = data?.bootSessions[0];
  return (
    <Card
      title="Newest boot"
      actions={
        <Link to="/machines/$id/boot" params={{id: machineId}}>
          All boots
        </Link>
      }
      flush
    >
      {!data && <Loading error={error} refetch={refetch} attempt="load its boots" lines={6} />}
      {data && !session && <p className="rows-none">It has not been seen to boot.</p>}
      {session && <BootTimeline session={session} />}
    </Card>
  );
}
