import {type Build, BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Operation_State as State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate, useParams, useSearch} from '@tanstack/react-router';
import {isCode} from '../../api/errors.ts';
import {LogCard} from '../../log/LogCard.tsx';
import type {WatchedLog} from '../../log/use-watched-log.ts';
import {OperationBadge} from '../../ui/Badge.tsx';
import {Card, PageHeader, ProgressBar, Skeleton} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {EmptyState, ErrorState, Notice} from '../../ui/states.tsx';
import {BootTests} from '../images/BootTests.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {BuildActions} from './BuildActions.tsx';
import {BuildFacts} from './BuildFacts.tsx';
import {BuildSteps} from './BuildSteps.tsx';
import {isLive, isRegistration, registrationTitle} from './build-words.ts';
import {Diagnostics} from './Diagnostics.tsx';
import {useWatchedBuild} from './use-watched-build.ts';
import './builds.css';

export function BuildPage() {
  const {id} = useParams({from: '/shell/builds/$id'});
  const {data, error, refetch} = useQuery(BuildService.method.getBuild, {id});
  const build = data?.build;
  if (isCode(error, Code.NotFound) || isCode(error, Code.InvalidArgument))
    return (
      <EmptyState icon="question" title="There is no such build">
        <p>
          It may be of another server, or you may not see its machine. The id that was asked for:{' '}
          <span className="mono">{id}</span>
        </p>
        <ButtonLink to="/builds">To the builds</ButtonLink>
      </EmptyState>
    );
  if (error && !build)
    return <ErrorState error={error} attempt="load the build" onRetry={() => void refetch()} />;
  if (!build) return <Skeleton lines={8} />;
  return <LoadedBuild build={build} />;
}

function LoadedBuild({build}: {readonly build: Build}) {
  const log = useWatchedBuild(build.id);
  const operation = build.operation;
  const isUnderWay = isLive(operation);
  return (
    <div className="page">
      <PageHeader
        title={
          isRegistration(build) ? (
            registrationTitle(build)
          ) : (
            <>
              Image of <MachineLink id={build.machineId} />
            </>
          )
        }
        beside={<OperationBadge value={operation?.state} />}
        actions={<BuildActions build={build} />}
      />
      {operation?.state === State.RUNNING && (
        <ProgressBar percent={operation.progressPercent} label="Progress of the build" />
      )}
      {operation?.state === State.FAILED && (
        <Notice tone="bad" icon="warning">
          <strong>The build failed</strong>
          <p>{operation.error || 'It gave no reason; the last lines of the log may tell.'}</p>
        </Notice>
      )}
      <Diagnostics diagnostics={build.diagnostics} machineId={build.machineId} />
      <div className="build-parts">
        <Card title="Phases">
          <BuildSteps build={build} lines={log.lines} leftOut={log.leftOut} />
        </Card>
        <Card title="This build">
          <BuildFacts build={build} />
        </Card>
      </div>
      {build.bootTests.length > 0 && (
        <Card title="Boot tests" flush>
          <BootTests tests={build.bootTests} />
        </Card>
      )}
      <BuildLog build={build} log={log} isUnderWay={isUnderWay} />
    </div>
  );
}

type BuildLogProps = {
  readonly build: Build;
  readonly log: WatchedLog;
  readonly isUnderWay: boolean;
};

function BuildLog({build, log, isUnderWay}: BuildLogProps) {
  const {lines} = useSearch({from: '/shell/builds/$id'});
  const navigate = useNavigate({from: '/builds/$id'});
  return (
    <LogCard
      title="Log"
      over="The build is over"
      label={`Log of build ${build.id.slice(0, 8)}`}
      log={log}
      isLive={isUnderWay}
      fileName={`build-${build.id}.log`}
      chosen={lines}
      onChoose={chosen =>
        void navigate({
          search: old => ({...old, lines: chosen}),
          replace: true,
          resetScroll: false,
        })
      }
      empty={
        log.state === 'connecting' || (isUnderWay && log.state !== 'ended')
          ? 'Nothing was written yet. Lines appear here as the builder writes them.'
          : 'No log is kept of this build: nothing was written, or it is older than what the server keeps.'
      }
    />
  );
}
