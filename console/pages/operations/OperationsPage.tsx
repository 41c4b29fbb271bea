import {
  type ListOperationsResponse,
  type Operation,
  Operation_State as State,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback, useMemo, useState} from 'react';
import {usePolled} from '../../api/use-polled.ts';
import {DataTable} from '../../table/DataTable.tsx';
import {pagesReloadedMax, useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {plural} from '../../ui/format.ts';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {isLive} from '../builds/build-words.ts';
import {MachineChip} from '../machines/MachineChip.tsx';
import {operationColumns} from './operation-columns.tsx';
import {operationKinds} from './operation-words.ts';
import {HeldRollouts} from './HeldRollouts.tsx';

const pageSize = 100;
const everyMs = 3_000;
/** The API does not filter by kind and state: so many are looked through at a time. */
const lookedThroughStep = 1_000;
const rowsOf = ({operations}: ListOperationsResponse): readonly Operation[] => operations;

const states = [
  {value: '', label: 'All'},
  {value: 'live', label: 'Under way'},
  {value: 'failed', label: 'Failed'},
  {value: 'succeeded', label: 'Succeeded'},
  {value: 'cancelled', label: 'Cancelled'},
] as const;
type Choice = (typeof states)[number]['value'];
const statesOf: Readonly<Record<Choice, readonly State[]>> = {
  '': [],
  live: [State.QUEUED, State.RUNNING],
  failed: [State.FAILED],
  succeeded: [State.SUCCEEDED],
  cancelled: [State.CANCELLED],
};

export function OperationsPage() {
  const search = useSearch({from: '/shell/operations'});
  const navigate = useNavigate({from: '/operations'});
  const machineId = search.machine ?? '';
  const kind = operationKinds.find(({value}) => value === search.kind)?.value ?? '';
  const choice = states.find(({value}) => value === search.state)?.value ?? '';
  const [lookedMax, setLookedMax] = useState(lookedThroughStep);
  const list = useKeysetRows(OperationService.method.listOperations, {pageSize, machineId}, rowsOf);
  const hasLive = list.rows.some(isLive);
  // Children have no event of the operation's own.
  usePolled(
    [OperationService.method.listOperations],
    everyMs,
    hasLive && list.rows.length <= pageSize * pagesReloadedMax,
  );
  const isFiltered = kind !== '' || choice !== '';
  const rows = useMemo(
    () =>
      isFiltered
        ? list.rows.filter(
            operation =>
              (kind === '' || operation.kind === kind) &&
              (choice === '' || statesOf[choice].includes(operation.state)),
          )
        : list.rows,
    [list.rows, isFiltered, kind, choice],
  );
  const isCut = isFiltered && list.hasMore && list.rows.length >= lookedMax;
  const open = useCallback(
    ({id, kind}: Operation) =>
      void navigate({to: kind === 'build' ? '/builds/$id' : '/operations/$id', params: {id}}),
    [navigate],
  );
  return (
    <div className="page fill">
      <PageHeader title="Operations" />
      <HeldRollouts />
      <div className="toolbar">
        <Choices
          label="Kind"
          items={operationKinds}
          value={kind}
          onChange={kind => void navigate({search: old => ({...old, kind})})}
        />
        <Choices
          label="State"
          items={states}
          value={choice}
          onChange={state => void navigate({search: old => ({...old, state})})}
        />
        <MachineChip
          id={machineId}
          onRemove={() => void navigate({search: old => ({...old, machine: undefined})})}
        />
        {isCut && (
          <span className="muted">
            In the newest {plural(list.rows.length, 'operation')}{' '}
            <Button kind="quiet" onClick={() => setLookedMax(list.rows.length + lookedThroughStep)}>
              Look further back
            </Button>
          </span>
        )}
      </div>
      {list.error && (
        <ErrorState error={list.error} attempt="list the operations" onRetry={list.refresh} />
      )}
      {!(list.error && list.rows.length === 0) && (
        <DataTable
          fills
          label="Operations"
          columns={operationColumns}
          rows={rows}
          rowId={({id}) => id}
          hasMore={list.hasMore && !isCut}
          isLoading={list.isLoading}
          isLoadingMore={list.isLoadingMore}
          onLoadMore={list.loadMore}
          onOpen={open}
          empty={<NoOperations isFiltered={isFiltered || machineId !== ''} />}
        />
      )}
    </div>
  );
}

function NoOperations({isFiltered}: {readonly isFiltered: boolean}) {
  if (isFiltered)
    return (
      <EmptyState icon="operation" title="No operation is like that">
        <p>Choose another kind or state.</p>
      </EmptyState>
    );
  return (
    <EmptyState icon="operation" title="Nothing was set going yet">
      <p>
        Builds, actions on many machines and roll-outs appear here. Select machines in their list to
        act on many, or run <code>muster bulk reboot --filter 'labels.rack = r7'</code>.
      </p>
    </EmptyState>
  );
}
