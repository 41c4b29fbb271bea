import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Workspace} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {useState} from 'react';
import {Checkbox, TextField} from '../../forms/fields.tsx';
import {useDebounced} from '../../hooks/use-debounced.ts';
import {phrasesOf} from '../../table/filter-terms.ts';
import {StateBadge} from '../../ui/Badge.tsx';
import {Skeleton} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {Dialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {ErrorState, Notice} from '../../ui/states.tsx';
import {machineName} from '../machines/machine-name.ts';
import {machineMask} from './machine-columns.tsx';
import {MoveResults} from './MoveResults.tsx';
import {useMoves} from './use-moves.ts';

const shownMax = 50;
const settleMs = 200;

type AssignDialogProps = {readonly workspace: Workspace; readonly onClose: () => void};

export function AssignDialog({workspace, onClose}: AssignDialogProps) {
  const [chosen, setChosen] = useState<ReadonlyMap<string, Machine>>(new Map());
  const {moves, isBusy, run} = useMoves(workspace, 'assign');
  const left =
    workspace.machinesMax === 0
      ? Infinity
      : Math.max(0, workspace.machinesMax - workspace.machineCount);
  const toggle = (machine: Machine) => {
    const next = new Map(chosen);
    if (!next.delete(machine.id)) next.set(machine.id, machine);
    setChosen(next);
  };
  const action = moves ? (
    <Button kind="primary" busy={isBusy} onClick={onClose}>
      Done
    </Button>
  ) : (
    <>
      <Button onClick={onClose}>Cancel</Button>
      <Button
        kind="primary"
        busy={isBusy}
        disabledReason={chosen.size === 0 ? 'Choose machines first' : undefined}
        onClick={() => void run([...chosen.values()])}
      >
        {chosen.size === 0 ? 'Assign' : `Assign ${plural(chosen.size, 'machine')}`}
      </Button>
    </>
  );
  return (
    <Dialog title={`Assign machines to ${workspace.name}`} onClose={onClose} actions={action} wide>
      {moves ? (
        <MoveResults moves={moves} />
      ) : (
        <>
          {chosen.size > left && (
            <Notice tone="warn" icon="warning">
              The quota has room for {plural(left, 'machine')}: the rest will be refused.
            </Notice>
          )}
          <MachinePicker chosen={chosen} onToggle={toggle} />
        </>
      )}
    </Dialog>
  );
}

type MachinePickerProps = {
  readonly chosen: ReadonlyMap<string, Machine>;
  readonly onToggle: (machine: Machine) => void;
};

/** Machines that can be assigned: Ready or Active, in no workspace. */
function MachinePicker({chosen, onToggle}: MachinePickerProps) {
  const [text, setText] = useState('');
  const {data, error, isNarrowed} = useFreeMachines(text);
  const machines = data?.machines ?? [];
  return (
    <>
      <TextField
        label="Find"
        hint="Ready and Active machines that are in no workspace; host name, serial, MAC, model"
        autoFocus
        autoComplete="off"
        value={text}
        onChange={event => setText(event.target.value)}
      />
      <ErrorState error={error} attempt="find machines" />
      {!data && !error && <Skeleton lines={4} />}
      {data && machines.length === 0 && (
        <p className="muted">
          {isNarrowed
            ? 'No free machine has these words.'
            : 'No Ready or Active machine is free: release one elsewhere, or wait for one to be ready.'}
        </p>
      )}
      {machines.length > 0 && (
        <div className="pick-list" role="group" aria-label="Machines to assign">
          {machines.map(machine => (
            <Checkbox
              key={machine.id}
              checked={chosen.has(machine.id)}
              onChange={() => onToggle(machine)}
              label={
                <>
                  <strong>{machineName(machine)}</strong>
                  <span className="mono muted">{machine.serviceTag}</span>
                  <StateBadge value={machine.state} />
                </>
              }
            />
          ))}
        </div>
      )}
      {data?.nextPageToken && (
        <p className="muted">The first {shownMax} are shown: type more to narrow them.</p>
      )}
    </>
  );
}

function useFreeMachines(text: string) {
  const words = useDebounced(text.trim(), settleMs);
  const phrases = phrasesOf(words);
  const {data, error} = useQuery(
    MachineService.method.listMachines,
    {
      filter: ['workspace = ""', '(state = READY OR state = ACTIVE)', ...phrases].join(' AND '),
      orderBy: 'hostname',
      pageSize: shownMax,
      readMask: machineMask,
    },
    {placeholderData: keepPreviousData},
  );
  return {data, error, isNarrowed: words !== ''};
}
