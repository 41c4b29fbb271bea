import {
  type ListOperationsResponse,
  type Operation,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback, useMemo} from 'react';
import {useReloadEvery} from '../../api/use-reload.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {LookFurther, useLookedThrough} from '../../table/LookFurther.tsx';
import {pagesReloadedMax, useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {isLive} from '../builds/build-words.ts';
import {MachineChip} from '../machines/MachineChip.tsx';
import {operationColumns} from './operation-columns.tsx';
import {operationKinds} from './operation-words.ts';
import {HeldRollouts} from './HeldRollouts.tsx';
import {stateChoiceOf, stateChoices} from './state-choices.ts';

const pageSize = 100;
const everyMs = 3_000;
const rowsOf = ({operations}: ListOperationsResponse): readonly Operation[] => operations;

export function OperationsPage() {
  const search = useSearch({from: '/shell/operations'});
  const navigate = useNavigate({from: '/operations'});
  const machineId = search.machine ?? '';
  const kind = operationKinds.find(({value}) => value === search.kind)?.value ?? '';
  const {choice, includes} = useMemo(() => stateChoiceOf(search.state), [search.state]);
  const list = useKeysetRows(OperationService.method.listOperations, {pageSize, machineId}, rowsOf);
  const hasLive = list.rows.some(isLive);
  // Children have no event of the operation's own.
  useReloadEvery(
    [OperationService.method.listOperations],
    everyMs,
    hasLive && list.rows.length <= pageSize * pagesReloadedMax,
  );
  const isFiltered = kind !== '' || choice !== '';
  const rows = useMemo(
    () =>
      list.rows.filter(
        operation => (kind === '' || operation.kind === kind) && includes(operation.state),
      ),
    [list.rows, kind, includes],
  );
  const looked = useLookedThrough(list, isFiltered);
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
          items={stateChoices}
          value={choice}
          onChange={state => void navigate({search: old => ({...old, state})})}
        />
        <MachineChip
          id={machineId}
          onRemove={() => void navigate({search: old => ({...old, machine: undefined})})}
        />
        <LookFurther looked={looked} noun="operation" />
      </div>
      <KeysetTable
        fills
        label="Operations"
        attempt="list the operations"
        list={{...list, rows, hasMore: list.hasMore && !looked.isCut}}
        columns={operationColumns}
        rowId={({id}) => id}
        onOpen={open}
        empty={<NoOperations isFiltered={isFiltered || machineId !== ''} />}
      />
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
