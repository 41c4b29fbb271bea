import {type Ban, DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {TextField} from '../../forms/fields.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {ErrorState} from '../../ui/states.tsx';
import {showFailure, showToast} from '../../ui/Toast.tsx';
import {machineName} from '../machines/machine-name.ts';
import type {DecisionProps} from './RejectDialog.tsx';

export function BanDialog({machine, onDone, onClose}: DecisionProps) {
  const [reason, setReason] = useState('');
  const ban = useAction(DiscoveryService.method.banMachine, {also: [MachineService]});
  const unban = useUnban();
  const identifiers = [
    ...new Set([machine.serviceTag, machine.uuid, machine.macAddress, ...machine.macAddresses]),
  ].filter(Boolean);
  const confirm = () =>
    ban.mutate(
      {id: machine.id, reason},
      {
        onSuccess: ({bans}) => {
          showToast(`${machineName(machine)} is banned by ${plural(bans.length, 'identifier')}`, {
            undo: () => void unban(bans),
          });
          onDone();
        },
      },
    );
  return (
    <ConfirmDialog
      title={`Ban ${machineName(machine)}?`}
      action="Ban the box"
      busy={ban.isPending}
      error={<ErrorState error={ban.error} attempt="ban it" />}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        Whatever has one of these is never let in: it boots its local disk, neither enrols nor is
        recorded, and its boot script says that it is banned.
      </p>
      <ul className="mono">
        {identifiers.map(identifier => (
          <li key={identifier}>{identifier}</li>
        ))}
      </ul>
      <TextField
        label="Reason"
        hint="Stands in the boot script of the box: “stolen”"
        maxLength={256}
        autoFocus
        value={reason}
        onChange={event => setReason(event.target.value)}
      />
    </ConfirmDialog>
  );
}

/** Ends bans. The machine stays turned away until somebody accepts it. */
export function useUnban() {
  const {mutateAsync} = useAction(DiscoveryService.method.deleteBan, {also: [MachineService]});
  return async (bans: readonly Pick<Ban, 'id'>[]) => {
    try {
      for (const {id} of bans) await mutateAsync({id});
      showToast('The ban is ended. A machine that was turned away stays so until it is accepted');
    } catch (error) {
      showFailure(error, 'end the ban');
    }
  };
}
