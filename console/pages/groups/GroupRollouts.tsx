import type {Group} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {
  type Rollout,
  Rollout_State as State,
  RolloutService,
} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Badge} from '../../ui/Badge.tsx';
import {Card, ProgressBar} from '../../ui/blocks.tsx';
import {plural} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {ErrorState} from '../../ui/states.tsx';
import type {Look} from '../../ui/tones.ts';

const looks: Readonly<Record<number, Look>> = {
  [State.QUEUED]: {word: 'Queued', tone: 'idle', icon: 'pending'},
  [State.RUNNING]: {word: 'Running', tone: 'busy', icon: 'operation'},
  [State.PAUSED]: {word: 'Paused', tone: 'warn', icon: 'pause'},
  [State.HALTED]: {word: 'Halted', tone: 'bad', icon: 'warning'},
  [State.SUCCEEDED]: {word: 'Succeeded', tone: 'ok', icon: 'check'},
  [State.FAILED]: {word: 'Failed', tone: 'bad', icon: 'warning'},
  [State.CANCELLED]: {word: 'Cancelled', tone: 'idle', icon: 'cross'},
};
const unknown: Look = {word: 'Unknown', tone: 'idle', icon: 'question'};

/** The server says in words how the machines were chosen. */
const isOf = ({operation}: Rollout, {id, name}: Group): boolean =>
  [`group "${name}"`, `group "${id}"`].some(
    words => words.toLowerCase() === operation?.selection.toLowerCase(),
  );

/** The latest that were started from this group. */
export function GroupRollouts({group}: {readonly group: Group}) {
  const {data, error} = useQuery(RolloutService.method.listRollouts, {pageSize: 50});
  const rollouts = data?.rollouts.filter(
    rollout => isOf(rollout, group) && rollout.operation?.dryRun === false,
  );
  if (error) return <ErrorState error={error} attempt="list its roll-outs" />;
  if (!rollouts || rollouts.length === 0) return null;
  return (
    <Card title="Latest roll-outs">
      <ul className="rollouts">
        {rollouts.slice(0, 5).map(rollout => (
          <RolloutRow key={rollout.id} rollout={rollout} />
        ))}
      </ul>
    </Card>
  );
}

function RolloutRow({rollout}: {readonly rollout: Rollout}) {
  const {id, state, operation, nextStep, waves, currentWave} = rollout;
  const failed = operation?.children?.failed ?? 0;
  return (
    <li>
      <span className="rollout-head">
        <Badge look={looks[state] ?? unknown} />
        <Link to="/operations/$id" params={{id}}>
          Wave {currentWave} of {waves.length}
        </Link>
        <span className="muted">
          <RelativeTime time={operation?.createTime} /> by {operation?.actor}
          {failed > 0 && ` · ${plural(failed, 'failure')}`}
        </span>
      </span>
      <ProgressBar percent={operation?.progressPercent ?? 0} label="Machines that are over" />
      {nextStep && <span className="muted">{nextStep}</span>}
    </li>
  );
}
