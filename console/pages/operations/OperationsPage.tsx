import {
  type ListOperationsResponse,
  type Operation,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback} from 'react';
import {useReloadEvery} from '../../api/use-reload.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {pagesReloadedMax, useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {sinceOf, SinceChoice} from '../../ui/SinceChoice.tsx';
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
  const {choice, states} = stateChoiceOf(search.state);
  const since = sinceOf(search.since);
  const list = useKeysetRows(
    OperationService.method.listOperations,
    {pageSize, machineId, states, kinds: kind === '' ? [] : [kind], since},
    rowsOf,
  );
  const hasLive = list.rows.some(isLive);
  // Children have no event of the operation's own.
  useReloadEvery(
    [OperationService.method.listOperations],
    everyMs,
    hasLive && list.rows.length <= pageSize * pagesReloadedMax,
  );
  const isFiltered = [kind, choice, machineId, since].some(text => text !== '');
  const change = (part: Partial<typeof search>) =>
    void navigate({search: old => ({...old, ...part})});
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
          onChange={kind => change({kind: kind || undefined})}
        />
        <Choices
          label="State"
          items={stateChoices}
          value={choice}
          onChange={state => change({state: state || undefined})}
        />
        <SinceChoice value={since} onChange={since => change({since})} />
        <MachineChip id={machineId} onRemove={() => change({machine: undefined})} />
      </div>
      <KeysetTable
        fills
        label="Operations"
        attempt="list the operations"
        list={list}
        columns={operationColumns}
        rowId={({id}) => id}
        onOpen={open}
        empty={<NoOperations isFiltered={isFiltered} />}
      />
    </div>
  );
}

function NoOperations({isFiltered}: {readonly isFiltered: boolean}) {
  if (isFiltered)
    return (
      <EmptyState icon="operation" title="No operation is like that">
        <p>Choose another kind, state or time.</p>
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
