import {type Operation, OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {type Rollout, RolloutService} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {Code} from '@connectrpc/connect';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {Navigate, useParams} from '@tanstack/react-router';
import {isCode} from '../../api/errors.ts';
import {useReloadEvery} from '../../api/use-reload.ts';
import {useNow} from '../../hooks/use-now.ts';
import {Badge, OperationBadge} from '../../ui/Badge.tsx';
import {Card, KeyValues, PageHeader, Skeleton} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {formatDuration} from '../../ui/format.ts';
import {Identifier} from '../../ui/Identifier.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState, Notice} from '../../ui/states.tsx';
import {durationMs, isLive} from '../builds/build-words.ts';
import {ChildrenTable} from './ChildrenTable.tsx';
import {CountsBar} from './CountsBar.tsx';
import {FailedChildren} from './FailedChildren.tsx';
import {OperationActions} from './OperationActions.tsx';
import {countsText, operationTitle, rolloutLook} from './operation-words.ts';
import {RolloutHold, RolloutWaves} from './RolloutParts.tsx';
import './operations.css';

const everyMs = 2_000;

export function OperationPage() {
  const {id} = useParams({from: '/shell/operations/$id'});
  const {data, error, refetch} = useQuery(OperationService.method.getOperation, {id});
  const operation = data?.operation;
  if (isCode(error, Code.NotFound) || isCode(error, Code.InvalidArgument))
    return (
      <EmptyState icon="question" title="There is no such operation">
        <p>
          Operations that have been over for 90 days go. The journal keeps what they did:{' '}
          <code>muster events list</code>.
        </p>
        <ButtonLink to="/operations">To the operations</ButtonLink>
      </EmptyState>
    );
  if (error && !operation)
    return <ErrorState error={error} attempt="load the operation" onRetry={() => void refetch()} />;
  if (!operation) return <Skeleton lines={8} />;
  if (operation.kind === 'build') return <Navigate to="/builds/$id" params={{id}} replace />;
  return <LoadedOperation operation={operation} />;
}

function LoadedOperation({operation}: {readonly operation: Operation}) {
  const {id, kind, children, error} = operation;
  const isUnderWay = isLive(operation);
  const {data} = useQuery(RolloutService.method.getRollout, kind === 'rollout' ? {id} : skipToken);
  useReloadEvery(
    [
      OperationService.method.getOperation,
      OperationService.method.listOperationChildren,
      RolloutService.method.getRollout,
    ],
    everyMs,
    isUnderWay,
  );
  const rollout = data?.rollout;
  return (
    <div className="page">
      <PageHeader
        title={operationTitle(operation)}
        beside={
          rollout ? (
            <Badge look={rolloutLook(rollout.state)} />
          ) : (
            <OperationBadge value={operation.state} />
          )
        }
        actions={<OperationActions operation={operation} rollout={rollout} />}
      />
      {operation.dryRun && (
        <Notice tone="info" icon="info">
          A dry run: it tells what would become of each machine, and changed nothing.
        </Notice>
      )}
      {error !== '' && (
        <Notice tone="bad" icon="warning">
          <strong>{error}</strong>
        </Notice>
      )}
      {rollout && <RolloutHold rollout={rollout} />}
      <div className={rollout ? 'operation-parts' : undefined}>
        {rollout && <RolloutWaves rollout={rollout} />}
        <Facts operation={operation} rollout={rollout} />
      </div>
      {children && children.failed > 0 && <FailedChildren operation={operation} />}
      {children && <ChildrenTable operation={operation} isRollout={kind === 'rollout'} />}
    </div>
  );
}

type FactsProps = {readonly operation: Operation; readonly rollout: Rollout | undefined};

function Facts({operation, rollout}: FactsProps) {
  const now = useNow();
  const {children} = operation;
  const took = durationMs(operation, now);
  return (
    <Card title="This operation">
      {children && (
        <div className="operation-counts" aria-live="polite">
          <CountsBar counts={children} label="Machines" />
          <span>{countsText(children)}</span>
        </div>
      )}
      <KeyValues
        entries={[
          ['Machines', operation.selection],
          ['By', operation.actor],
          ['Made', <RelativeTime key="made" time={operation.createTime} />],
          [operation.endTime ? 'Took' : 'Runs for', took === undefined ? '' : formatDuration(took)],
          ['At a time', rollout ? `${rollout.concurrency}, of one wave` : undefined],
          ['Halts', rollout ? `with more than ${rollout.maxFailures} failures` : undefined],
          [
            'Time for each',
            rollout
              ? `${formatDuration(rollout.machineTimeoutSeconds * 1000)} from reboot to ACTIVE`
              : undefined,
          ],
          ['Id', <Identifier key="id" id={operation.id} what="the id of the operation" />],
        ]}
      />
    </Card>
  );
}
