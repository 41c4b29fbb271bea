import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Workspace} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {Button} from '../../ui/Button.tsx';
import {ConfirmDialog, Dialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {machineName} from '../machines/machine-name.ts';
import {MoveResults} from './MoveResults.tsx';
import {useMoves} from './use-moves.ts';

const namesMax = 8;

type ReleaseDialogProps = {
  readonly workspace: Workspace;
  readonly machines: readonly Machine[];
  readonly onClose: () => void;
};

export function ReleaseDialog({workspace, machines, onClose}: ReleaseDialogProps) {
  const {moves, isBusy, run} = useMoves(workspace, 'release');
  const count = plural(machines.length, 'machine');
  if (moves)
    return (
      <Dialog
        title={`Released from ${workspace.name}`}
        onClose={onClose}
        actions={
          <Button kind="primary" busy={isBusy} onClick={onClose}>
            Done
          </Button>
        }
      >
        <MoveResults moves={moves} />
      </Dialog>
    );
  const names = machines.slice(0, namesMax).map(machineName).join(', ');
  return (
    <ConfirmDialog
      title={`Release ${count} from ${workspace.name}?`}
      action={`Release ${count}`}
      busy={isBusy}
      onConfirm={() => void run(machines)}
      onClose={onClose}
    >
      <p>
        {names}
        {machines.length > namesMax && ` and ${machines.length - namesMax} more`}. Members of{' '}
        {workspace.name} no longer see them.
      </p>
      <p>
        What the machine is stays: configuration, labels, notes and the running system. For another
        tenant empty those, and rebuild it.
      </p>
    </ConfirmDialog>
  );
}
