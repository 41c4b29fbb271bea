import {type Build, BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Operation_State as State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useNow} from '../../hooks/use-now.ts';
import {ProgressBar} from '../../ui/blocks.tsx';
import {formatDuration} from '../../ui/format.ts';
import {durationMs, stepWord} from './build-words.ts';
import './builds.css';

/** Progress has no event: of a build that runs and is in sight it is asked for this often. */
const everyMs = 2_000;

/** How far a build is, or what became of it, in one line of a table. */
export function BuildProgress({build: listed}: {readonly build: Build}) {
  const isRunning = listed.operation?.state === State.RUNNING;
  const {data} = useQuery(
    BuildService.method.getBuild,
    {id: listed.id},
    {enabled: isRunning, refetchInterval: everyMs},
  );
  const now = useNow();
  const build = (isRunning && data?.build) || listed;
  const operation = build.operation;
  if (!operation) return null;
  const took = durationMs(operation, now);
  const duration = took === undefined ? '' : formatDuration(took);
  switch (operation.state) {
    case State.QUEUED:
      return <span className="muted">Waits for a builder</span>;
    case State.RUNNING: {
      const step = stepWord(operation.steps.at(-1)?.name ?? 'started');
      const percent = Math.round(operation.progressPercent);
      return (
        <span className="build-progress">
          <ProgressBar percent={percent} label={`Progress of the build: ${step}`} />
          <span>{percent} %</span>
          <span className="muted">
            {operation.cancelRequested ? 'Is being cancelled' : step} · {duration}
          </span>
        </span>
      );
    }
    case State.FAILED:
      return (
        <span className="build-error" title={operation.error}>
          {operation.error || 'Failed without a reason'}
        </span>
      );
    case State.SUCCEEDED:
      return (
        <span>
          {duration}
          {build.cached && <span className="muted"> · taken from the store, not built again</span>}
        </span>
      );
    default:
      return <span className="muted">{duration}</span>;
  }
}
