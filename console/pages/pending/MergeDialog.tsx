import {DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {RadioCards} from '../../forms/RadioCards.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {machineStateLook} from '../../ui/tones.ts';
import {machineName} from '../machines/machine-name.ts';

type MergeDialogProps = {
  /** That waits. */
  readonly machine: Machine;
  readonly other: Machine;
  readonly onClose: () => void;
};

export function MergeDialog({machine, other, onClose}: MergeDialogProps) {
  const [stays, setStays] = useState<'other' | 'this'>('other');
  const navigate = useNavigate();
  const merge = useAction(DiscoveryService.method.mergeMachines, {also: [MachineService]});
  const [kept, gone] = stays === 'other' ? [other, machine] : [machine, other];
  const confirm = () =>
    merge.mutate(
      {id: kept.id, absorbedId: gone.id},
      {
        onSuccess: () => {
          showToast(`${machineName(gone)} went into ${machineName(kept)}`);
          onClose();
          void navigate({to: '/machines/$id', params: {id: kept.id}});
        },
      },
    );
  return (
    <ConfirmDialog
      title="These two are one machine"
      action={`Merge into ${machineName(kept)}`}
      busy={merge.isPending}
      error={<ErrorState error={merge.error} attempt="merge them" />}
      onConfirm={confirm}
      onClose={onClose}
    >
      <RadioCards
        label="Which record stays?"
        value={stays}
        onChange={setStays}
        options={[
          {value: 'other', label: machineName(other), note: noteOf(other)},
          {value: 'this', label: `This one (${machineName(machine)})`, note: noteOf(machine)},
        ]}
      />
      <p>
        The record that stays answers for both: it takes the other’s identifiers, boots, builds,
        metrics and hardware history, keeps its own name and configuration, and takes the other’s
        where it has none. The other record is retired; its agent is logged out and recognised at
        the next boot.
      </p>
      <p>
        This cannot be undone as a whole. Should it turn out to be two boxes, the record is split:
        at the machine, by More → Split the record.
      </p>
    </ConfirmDialog>
  );
}

const noteOf = ({state, serviceTag}: Machine): string =>
  [machineStateLook(state).word, serviceTag].filter(Boolean).join(' · ');
