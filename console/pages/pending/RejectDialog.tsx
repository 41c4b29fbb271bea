import {DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {TextField} from '../../forms/fields.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {machineName} from '../machines/machine-name.ts';

export type DecisionProps = {
  readonly machine: Machine;
  readonly onDone: () => void;
  readonly onClose: () => void;
};

export function RejectDialog({machine, onDone, onClose}: DecisionProps) {
  const [reason, setReason] = useState('');
  const reject = useAction(MachineService.method.rejectMachine, {also: [DiscoveryService]});
  const confirm = () =>
    reject.mutate(
      {id: machine.id, reason},
      {
        onSuccess: () => {
          showToast(`${machineName(machine)} is turned away`);
          onDone();
        },
      },
    );
  return (
    <ConfirmDialog
      title={`Turn ${machineName(machine)} away?`}
      action="Reject it"
      busy={reject.isPending}
      error={<ErrorState error={reject.error} attempt="reject it" />}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        It boots its local disk from now on, and the key of its agent ends. It stays among the
        machines as Rejected, and can be accepted later.
      </p>
      <TextField
        label="Reason"
        hint="For those who look at it later"
        maxLength={1024}
        autoFocus
        value={reason}
        onChange={event => setReason(event.target.value)}
      />
    </ConfirmDialog>
  );
}
