import {DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {
  type Machine,
  Machine_State as State,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useNavigate} from '@tanstack/react-router';
import {useAction} from '../../../api/use-action.ts';
import {ConfirmDialog} from '../../../ui/Dialog.tsx';
import {plural} from '../../../ui/format.ts';
import {ErrorState} from '../../../ui/states.tsx';
import {machineName} from '../machine-name.ts';

type SplitDialogProps = {
  readonly machine: Machine;
  readonly taken: ReadonlySet<string>;
  readonly onClose: () => void;
};

const inService: ReadonlySet<State> = new Set([State.READY, State.ACTIVE, State.MAINTENANCE]);

/** Asks for the name where the agent of a machine in service would be logged out. */
export function SplitDialog({machine, taken, onClose}: SplitDialogProps) {
  const navigate = useNavigate();
  const name = machineName(machine);
  const losesAgent = taken.has(machine.macAddress);
  const also = [MachineService, BootService];
  const join = useAction(DiscoveryService.method.mergeMachines, {
    attempt: 'join the two records again',
    done: () =>
      `${name} is one record again${losesAgent ? '; its agent is heard once it has booted' : ''}`,
    also,
  });
  const split = useAction(DiscoveryService.method.splitMachine, {
    also,
    done: ({machine: kept, splitMachine: made}) => ({
      text: `Split: this record waits for the other box, ${name} goes on`,
      undo: () => join.mutate({id: kept?.id ?? '', absorbedId: made?.id ?? ''}),
    }),
    onDone: ({splitMachine: made}) => {
      onClose();
      if (made) void navigate({to: '/machines/$id', params: {id: made.id}});
    },
  });
  const isInService = inService.has(machine.state);
  return (
    <ConfirmDialog
      title={`Split ${name} into two records?`}
      action="Split the record"
      {...(losesAgent && isInService && {typeToConfirm: name})}
      busy={split.isPending}
      error={<ErrorState error={split.error} attempt={`split ${name}`} />}
      onConfirm={() => split.mutate({id: machine.id, identifiers: [...taken]})}
      onClose={onClose}
    >
      <p>
        {plural(taken.size, 'value')} and the boots by its NICs go to a new record, which is
        EXPECTED until its box boots.
      </p>
      <p>
        {losesAgent
          ? `${name} booted last from ${machine.macAddress}, which goes: its agent is logged out at once, and the box is recognised as the new record when it boots.`
          : `${name} booted last from a NIC that stays: its agent goes on, and nothing is interrupted.`}
      </p>
      <p>
        Should it turn out to be one box after all, the two are merged again; what was logged out
        boots once.
      </p>
    </ConfirmDialog>
  );
}
