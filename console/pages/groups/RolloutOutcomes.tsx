import {
  type OperationChild,
  OperationChild_State as State,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {plural} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {ErrorState} from '../../ui/states.tsx';

const childrenShown = 200;
/** A dry run is over within seconds; its events come, too. */
const pollMs = 1000;
const isOver = ({state}: OperationChild): boolean => state > State.RUNNING;

/** What a dry run says would become of each machine: refusals first. */
export function RolloutOutcomes({operationId}: {readonly operationId: string}) {
  const {data, error} = useQuery(
    OperationService.method.listOperationChildren,
    {operationId, pageSize: childrenShown},
    {
      refetchInterval: ({state}) =>
        state.data?.children.every(child => isOver(child)) ? false : pollMs,
    },
  );
  if (error) return <ErrorState error={error} attempt="read the dry run" />;
  if (!data) return <Skeleton lines={3} />;
  const over = data.children.filter(child => isOver(child));
  const refused = over.filter(({state}) => state === State.FAILED);
  const rest = over.filter(({state}) => state !== State.FAILED);
  return (
    <Card title="Dry run: what would become of each machine">
      <p role="status">
        {over.length < data.children.length
          ? `${over.length} of ${plural(data.children.length, 'machine')} tried`
          : `${plural(rest.length, 'machine')} would be rolled out, ${refused.length} would be refused`}
        . Nothing was changed.
      </p>
      <ul className="rollout-outcomes" aria-label="Machines">
        {[...refused, ...rest].map(child => (
          <li key={child.number} className={child.state === State.FAILED ? 'tone-bad' : 'tone-ok'}>
            <Icon name={child.state === State.FAILED ? 'warning' : 'check'} size={12} />
            <span>{child.machine}</span>
            <span className="muted">wave {child.wave}</span>
            <span>{child.error || child.summary}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
