import {Link} from '@tanstack/react-router';
import {Card} from '../../ui/blocks.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {EventLines} from './EventLines.tsx';
import {useMachineEvents} from './use-machine-events.ts';

const shownMax = 12;

export function NewestEvents({machineId}: {readonly machineId: string}) {
  const {data, error, refetch} = useMachineEvents(machineId);
  return (
    <Card
      title="Newest events"
      actions={
        <Link to="/machines/$id/events" params={{id: machineId}}>
          {data ? `All ${data.length}` : 'All'}
        </Link>
      }
      flush
    >
      {!data && <Loading error={error} refetch={refetch} attempt="load its events" lines={6} />}
      {data && <EventLines events={data.slice(0, shownMax)} />}
    </Card>
  );
}
