import {
  type ListMachinesResponse,
  type Machine,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import type {Workspace} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {useNavigate} from '@tanstack/react-router';
import {useMemo, useState} from 'react';
import {useReason} from '../../api/use-reason.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {type Selection} from '../../table/use-table-model.ts';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Card} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {plural} from '../../ui/format.ts';
import {EmptyState} from '../../ui/states.tsx';
import {AssignDialog} from './AssignDialog.tsx';
import {machineColumns, machineMask} from './machine-columns.tsx';
import {ReleaseDialog} from './ReleaseDialog.tsx';
import '../../ui/detail-pane.css';

const pageSize = 100;
const rowsOf = ({machines}: ListMachinesResponse) => machines;
const noneSelected: Selection = new Set();

export function WorkspaceMachinesCard({workspace}: {readonly workspace: Workspace}) {
  const navigate = useNavigate();
  const [assigning, setAssigning] = useState(false);
  const [releasing, setReleasing] = useState<readonly Machine[]>();
  const [selection, setSelection] = useState<Selection>(noneSelected);
  const filter = `workspace = "${workspace.name}"`;
  const input = useMemo(
    () => ({pageSize, filter, orderBy: 'hostname', readMask: machineMask}),
    [filter],
  );
  const list = useKeysetRows(MachineService.method.listMachines, input, rowsOf);
  const chosen = list.rows.filter(({id}) => selection.has(id));
  return (
    <Card
      title="Machines"
      actions={
        <MachinesActions
          filter={filter}
          count={chosen.length}
          onRelease={() => setReleasing(chosen)}
          onAssign={() => setAssigning(true)}
        />
      }
      flush
    >
      <KeysetTable
        label={`Machines of ${workspace.name}`}
        columns={machineColumns}
        list={list}
        attempt="list its machines"
        rowId={({id}) => id}
        selection={selection}
        onSelect={setSelection}
        onOpen={({id}) => void navigate({to: '/machines/$id', params: {id}})}
        empty={
          <EmptyState icon="machine" title="No machine is assigned yet">
            <p>Machines that are Ready or Active can be assigned.</p>
            <CommandLine command={`muster workspaces assign ${workspace.name} SERIAL`} />
          </EmptyState>
        }
      />
      {assigning && <AssignDialog workspace={workspace} onClose={() => setAssigning(false)} />}
      {releasing && (
        <ReleaseDialog
          workspace={workspace}
          machines={releasing}
          onClose={() => {
            setReleasing(undefined);
            setSelection(noneSelected);
          }}
        />
      )}
    </Card>
  );
}

type MachinesActionsProps = {
  readonly filter: string;
  /** How many are selected. */
  readonly count: number;
  readonly onRelease: () => void;
  readonly onAssign: () => void;
};

function MachinesActions({filter, count, onRelease, onAssign}: MachinesActionsProps) {
  const reason = useReason(Permission.OPERATE);
  const missing = count === 0 ? 'Select the machines in the table first' : undefined;
  return (
    <div className="pane-actions">
      <ButtonLink kind="quiet" to="/machines" search={{filter}}>
        In the list of machines
      </ButtonLink>
      <Button disabledReason={reason ?? missing} onClick={onRelease}>
        {count === 0 ? 'Release' : `Release ${plural(count, 'machine')}`}
      </Button>
      <Button kind="primary" icon="plus" disabledReason={reason} onClick={onAssign}>
        Assign machines
      </Button>
    </div>
  );
}
