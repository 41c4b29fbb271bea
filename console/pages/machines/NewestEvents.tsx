import {Link} from '@tanstack/react-router';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {ErrorState} from '../../ui/states.tsx';
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
      {!data && (
        <ErrorState error={error} attempt="load its events" onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton lines={6} />}
      {data && <EventLines events={data.slice(0, shownMax)} />}
    </Card>
  );
}
