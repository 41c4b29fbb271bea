import {Link} from '@tanstack/react-router';
import {Card} from '../../ui/blocks.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {BootTimeline} from './BootTimeline.tsx';
import {useNewestBoot} from './use-newest-boot.ts';

export function NewestBoot({machineId}: {readonly machineId: string}) {
  const {data, error, refetch} = useNewestBoot(machineId);
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
