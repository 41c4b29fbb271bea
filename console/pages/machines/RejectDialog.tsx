import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useState} from 'react';
import {TextField} from '../../forms/fields.tsx';
import {Button} from '../../ui/Button.tsx';
import {Dialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {machineName} from './machine-name.ts';

/** Turned away machines boot their local disk; an accept lets them in again, so undo is one. */
export function RejectDialog({
  machine,
  onClose,
}: {
  readonly machine: Machine;
  readonly onClose: () => void;
}) {
  const [reason, setReason] = useState('');
  const name = machineName(machine);
  const accept = useMutation(MachineService.method.acceptMachine);
  const reject = useMutation(MachineService.method.rejectMachine, {
    onSuccess: () => {
      showToast(`${name} is turned away`, {undo: () => accept.mutate({id: machine.id})});
      onClose();
    },
  });
  return (
    <Dialog
      title={`Turn ${name} away?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="danger"
            busy={reject.isPending}
            onClick={() => reject.mutate({id: machine.id, reason})}
          >
            Reject
          </Button>
        </>
      }
    >
      <p>It boots its local disk from then on. Accepting it later lets it in again.</p>
      <TextField
        label="Why (may stay empty)"
        autoFocus
        maxLength={1024}
        value={reason}
        onChange={event => setReason(event.target.value)}
      />
      <ErrorState error={reject.error} attempt={`reject ${name}`} />
    </Dialog>
  );
}
