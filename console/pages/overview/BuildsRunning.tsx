import {type Build, BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Operation_State as OperationState} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Card, ProgressBar, Skeleton} from '../../ui/blocks.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {ErrorState} from '../../ui/states.tsx';

/** Running ones are the newest: they are among so many. */
const lookedAt = 100;
const shownMax = 8;
/** Progress comes without an event. */
const againMs = 3_000;
const alive: readonly (OperationState | undefined)[] = [
  OperationState.QUEUED,
  OperationState.RUNNING,
];

export function BuildsRunning() {
  const {data, error, refetch} = useQuery(
    BuildService.method.listBuilds,
    {pageSize: lookedAt},
    {refetchInterval: ({state}) => (state.data?.builds.some(isAlive) ? againMs : false)},
  );
  const builds = (data?.builds ?? []).filter(isAlive);
  return (
    <Card
      title="Builds running"
      actions={
        <Link to="/builds">{builds.length > 0 ? `All ${builds.length}` : 'All builds'}</Link>
      }
      flush
    >
      {error && !data && (
        <ErrorState error={error} attempt="list the builds" onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton lines={3} />}
      {data && builds.length === 0 && <p className="rows-none">Nothing is being built.</p>}
      <ul className="rows">
        {builds.slice(0, shownMax).map(build => (
          <BuildLine key={build.id} build={build} />
        ))}
      </ul>
    </Card>
  );
}

const isAlive = ({operation}: Build): boolean => alive.includes(operation?.state);

function BuildLine({build}: {readonly build: Build}) {
  const step = build.operation?.steps.find(({state}) => state === OperationState.RUNNING);
  const isQueued = build.operation?.state === OperationState.QUEUED;
  return (
    <li>
      <Link to="/builds/$id" params={{id: build.id}} className="grow">
        {build.machineId ? `Machine ${build.machineId.slice(0, 8)}` : 'Registration image'}
        <span className="muted"> · {isQueued ? 'waits for a builder' : (step?.name ?? '')}</span>
      </Link>
      <span className="muted">
        <RelativeTime time={build.operation?.startTime ?? build.operation?.createTime} />
      </span>
      <ProgressBar percent={build.operation?.progressPercent ?? 0} label="Progress of the build" />
    </li>
  );
}
