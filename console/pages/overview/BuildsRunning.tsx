import {type Build, BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Operation_State as OperationState} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Card, ProgressBar} from '../../ui/blocks.tsx';
import {formatCounted} from '../../ui/format.ts';
import {Loading} from '../../ui/Loading.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {registrationTitle} from '../builds/build-words.ts';
import {useMachineName} from '../machines/use-machine-name.ts';

const shownMax = 8;
/** Progress comes without an event. */
const againMs = 3_000;
const states: OperationState[] = [OperationState.QUEUED, OperationState.RUNNING];

export function BuildsRunning() {
  const {data, error, refetch} = useQuery(
    BuildService.method.listBuilds,
    {states, pageSize: shownMax, countTotal: true},
    {refetchInterval: ({state}) => (state.data?.totalSize ? againMs : false)},
  );
  const builds = data?.builds ?? [];
  const count = data?.totalSize ?? 0;
  return (
    <Card
      title="Builds running"
      actions={
        count > 0 ? (
          <Link to="/builds" search={{state: 'live'}}>
            All {formatCounted(count)}
          </Link>
        ) : (
          <Link to="/builds">All builds</Link>
        )
      }
      flush
    >
      {!data && <Loading error={error} refetch={refetch} attempt="list the builds" lines={3} />}
      {data && builds.length === 0 && <p className="rows-none">Nothing is being built.</p>}
      <ul className="rows">
        {builds.map(build => (
          <BuildLine key={build.id} build={build} />
        ))}
      </ul>
    </Card>
  );
}

function BuildLine({build}: {readonly build: Build}) {
  const step = build.operation?.steps.find(({state}) => state === OperationState.RUNNING);
  const name = useMachineName(build.machineId);
  const isQueued = build.operation?.state === OperationState.QUEUED;
  return (
    <li>
      <Link to="/builds/$id" params={{id: build.id}} className="grow">
        {name || registrationTitle(build)}
        <span className="muted">
          {' '}
          · {isQueued ? 'waits for a builder' : (step?.name ?? 'has started')}
        </span>
      </Link>
      <span className="muted">
        <RelativeTime time={build.operation?.startTime ?? build.operation?.createTime} />
      </span>
      <ProgressBar percent={build.operation?.progressPercent ?? 0} label="Progress of the build" />
    </li>
  );
}
