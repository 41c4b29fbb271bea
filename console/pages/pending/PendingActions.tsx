import {DiscoveryService, type PendingMachine} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {
  CommandMachineRequest_Command as Command,
  type Machine,
  Machine_Presence as Presence,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {Button} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showFailure, showToast} from '../../ui/Toast.tsx';
import {machineName} from '../machines/machine-name.ts';
import {BanDialog} from './BanDialog.tsx';
import {RejectDialog} from './RejectDialog.tsx';

type Asked = 'accept' | 'reject' | 'ban' | undefined;

type ActionsProps = {
  readonly pending: PendingMachine;
  readonly machine: Machine;
  /** It does not wait any more. */
  readonly onDone: () => void;
};

/** What is decided about a machine; within reach of the thumb on a phone. */
export function PendingActions({pending, machine, onDone}: ActionsProps) {
  const [asked, setAsked] = useState<Asked>();
  const reason = useOperateReason();
  const accept = useAccept(machine, onDone);
  const isDoubtful =
    machine.quarantineReason !== '' || pending.lookAlikes.some(({score}) => score > 0);
  const close = () => setAsked(undefined);
  const done = () => {
    close();
    onDone();
  };
  return (
    <>
      <div className="pending-actions" role="group" aria-label="Decide">
        <Button
          kind="primary"
          icon="check"
          busy={accept.isPending}
          disabledReason={reason}
          onClick={() => (isDoubtful ? setAsked('accept') : accept.run())}
        >
          Accept
        </Button>
        <Button icon="cross" disabledReason={reason} onClick={() => setAsked('reject')}>
          Reject…
        </Button>
        <Button kind="danger" disabledReason={reason} onClick={() => setAsked('ban')}>
          Ban…
        </Button>
      </div>
      {asked !== 'accept' && (
        <ErrorState error={accept.error} attempt={`accept ${machineName(machine)}`} />
      )}
      {asked === 'accept' && <AcceptDialog machine={machine} accept={accept} onClose={close} />}
      {asked === 'reject' && <RejectDialog machine={machine} onDone={done} onClose={close} />}
      {asked === 'ban' && <BanDialog machine={machine} onDone={done} onClose={close} />}
    </>
  );
}

function AcceptDialog({
  machine,
  accept,
  onClose,
}: {
  readonly machine: Machine;
  readonly accept: ReturnType<typeof useAccept>;
  readonly onClose: () => void;
}) {
  return (
    <ConfirmDialog
      title="Accept it as a machine of its own?"
      action="Accept it"
      busy={accept.isPending}
      error={<ErrorState error={accept.error} attempt="accept it" />}
      onConfirm={accept.run}
      onClose={onClose}
    >
      <p>{machine.quarantineReason || 'Another machine has identifiers in common with it.'}</p>
      <p>
        Accepted, it is a second machine beside the one that it looks like. If it is the same box,
        compare the two and merge them instead.
      </p>
    </ConfirmDialog>
  );
}

function useAccept(machine: Machine, onDone: () => void) {
  const accept = useAction(MachineService.method.acceptMachine, {also: [DiscoveryService]});
  const run = () =>
    accept.mutate(
      {id: machine.id},
      {
        onSuccess: () => {
          showToast(`${machineName(machine)} is accepted`);
          onDone();
        },
      },
    );
  return {run, isPending: accept.isPending, error: accept.error};
}

/** For whoever stands in front of a rack. */
export function LocateButton({machine}: {readonly machine: Machine}) {
  const command = useMutation(MachineService.method.commandMachine);
  const operateReason = useOperateReason();
  const isOffline = machine.presence !== Presence.ONLINE;
  const blink = () =>
    command.mutate(
      {id: machine.id, command: Command.LOCATE},
      {
        onSuccess: () => showToast('Told to blink: look for the light, where the box has one'),
        onError: error => showFailure(error, 'make it blink'),
      },
    );
  return (
    <Button
      icon="light"
      busy={command.isPending}
      disabledReason={
        operateReason ?? (isOffline ? 'Its agent is offline: nobody would tell the box' : undefined)
      }
      onClick={blink}
    >
      Blink its light
    </Button>
  );
}
