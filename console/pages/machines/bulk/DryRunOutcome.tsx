import {
  OperationChild_State as ChildState,
  Operation_State as OperationState,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {ProgressBar} from '../../../ui/blocks.tsx';
import {plural} from '../../../ui/format.ts';
import {ErrorState, Notice} from '../../../ui/states.tsx';

const pollMs = 500;
const shownMax = 200;
const running: readonly OperationState[] = [OperationState.QUEUED, OperationState.RUNNING];

/** What would become of each machine; nothing was changed. Those that would fail come first. */
export function DryRunOutcome({operationId}: {readonly operationId: string}) {
  const {data, error} = useQuery(
    OperationService.method.getOperation,
    {id: operationId},
    {
      refetchInterval: ({state}) =>
        isRunning(state.data?.operation?.state ?? OperationState.QUEUED) ? pollMs : false,
    },
  );
  const operation = data?.operation;
  const isOver = operation !== undefined && !isRunning(operation.state);
  const children = useQuery(
    OperationService.method.listOperationChildren,
    isOver ? {operationId, pageSize: shownMax} : skipToken,
  );
  if (error) return <ErrorState error={error} attempt="look at the dry run" />;
  if (!isOver) return <ProgressBar percent={operation?.progressPercent ?? 0} label="Dry run" />;

  const {succeeded = 0, failed = 0} = operation.children ?? {};
  const outcomes = (children.data?.children ?? []).toSorted(
    (a, b) => Number(b.state === ChildState.FAILED) - Number(a.state === ChildState.FAILED),
  );
  return (
    <>
      <Notice tone={failed > 0 ? 'warn' : 'ok'} icon={failed > 0 ? 'warning' : 'check'}>
        It would work for {plural(succeeded, 'machine')}
        {failed > 0 && ` and be refused for ${plural(failed, 'machine')}`}. Nothing was changed.
      </Notice>
      <ul className="outcomes" tabIndex={0} aria-label="What would become of each machine">
        {outcomes.map(child => (
          <li key={child.number} className={child.state === ChildState.FAILED ? 'failed' : ''}>
            <span className="mono">{child.machine || child.machineId}</span>
            <span>{child.error || child.summary}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

const isRunning = (state: OperationState): boolean => running.includes(state);
