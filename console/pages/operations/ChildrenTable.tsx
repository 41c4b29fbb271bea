import {
  type ListOperationChildrenResponse,
  type Operation,
  type OperationChild,
  OperationChild_State as State,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback, useMemo} from 'react';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Card} from '../../ui/blocks.tsx';
import {Chip} from '../../ui/Chip.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {childColumns} from './child-columns.tsx';
import {countParts} from './operation-words.ts';

const pageSize = 500;
const rowsOf = ({children}: ListOperationChildrenResponse): readonly OperationChild[] => children;

const choices = [
  {value: '', label: 'All', states: []},
  {value: 'failed', label: 'Failed', states: [State.FAILED]},
  {value: 'running', label: 'Running', states: [State.RUNNING]},
  {value: 'queued', label: 'Queued', states: [State.QUEUED]},
  {value: 'succeeded', label: 'Succeeded', states: [State.SUCCEEDED]},
  {value: 'skipped', label: 'Skipped', states: [State.SKIPPED]},
  {value: 'cancelled', label: 'Cancelled', states: [State.CANCELLED]},
] as const;

const countOf = ({
  key,
  count,
}: {
  readonly key: string;
  readonly count: number;
}): readonly [string, number] => [key, count];

type ChildrenTableProps = {readonly operation: Operation; readonly isRollout: boolean};

/** Every machine of an operation, in the order in which they are begun: wave by wave. */
export function ChildrenTable({operation, isRollout}: ChildrenTableProps) {
  const search = useSearch({from: '/shell/operations/$id'});
  const navigate = useNavigate({from: '/operations/$id'});
  const counts = operation.children;
  const choice = choices.find(({value}) => value === search.state) ?? choices[0];
  const wave = Number(search.wave ?? 0);
  const list = useKeysetRows(
    OperationService.method.listOperationChildren,
    {operationId: operation.id, pageSize, states: [...choice.states]},
    rowsOf,
  );
  const rows = useMemo(
    () => (wave > 0 ? list.rows.filter(child => child.wave === wave) : list.rows),
    [list.rows, wave],
  );
  const columns = useMemo(() => childColumns(isRollout), [isRollout]);
  const open = useCallback(
    ({machineId}: OperationChild) => {
      if (machineId !== '') void navigate({to: '/machines/$id', params: {id: machineId}});
    },
    [navigate],
  );
  const change = (next: {readonly state?: string; readonly wave?: string | undefined}) =>
    void navigate({search: old => ({...old, ...next}), replace: true, resetScroll: false});
  const totals = new Map<string, number>(
    counts ? [['', counts.total], ...countParts(counts).map(countOf)] : [],
  );
  return (
    <Card flush title="Machines">
      <div className="toolbar operation-toolbar">
        <Choices
          label="State of the machine’s part"
          items={choices
            .map(({value, label}) => ({value, label, count: totals.get(value)}))
            .filter(({value, count}) => value === choice.value || value === '' || count !== 0)}
          value={choice.value}
          onChange={state => change({state})}
        />
        {wave > 0 && (
          <Chip label="All waves" onRemove={() => change({wave: undefined})}>
            Only wave {wave}
          </Chip>
        )}
      </div>
      <KeysetTable
        label="Machines of the operation"
        attempt="list its machines"
        columns={columns}
        list={{...list, rows}}
        rowId={({number}) => String(number)}
        onOpen={open}
        empty={<EmptyState icon="machine" title="No machine is like that" />}
      />
    </Card>
  );
}
