import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {
  CommandMachineRequest_Command as Command,
  type Machine,
  Machine_Presence as Presence,
  Machine_State as State,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {explainError} from '../../api/errors.ts';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {Menu} from '../../ui/Menu.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {buildableStates} from './life-cycle.ts';
import {machineName} from './machine-name.ts';
import {RejectDialog} from './RejectDialog.tsx';

type Asked = 'reboot' | 'power off' | 'delete' | 'reject' | undefined;

export function MachineActions({machine}: {readonly machine: Machine}) {
  const [asked, setAsked] = useState<Asked>();
  const {id, workspaceId} = machine;
  const mayNot = useOperateReason(workspaceId);
  const navigate = useNavigate();
  const name = machineName(machine);
  const onError = (error: unknown) =>
    showToast(explainError(error, 'do this').message, {tone: 'bad'});

  const build = useMutation(BuildService.method.createBuild, {
    onSuccess: ({build}) => {
      showToast(`Building the image of ${name}`);
      if (build) void navigate({to: '/builds/$id', params: {id: build.id}});
    },
    onError,
  });
  const accept = useMutation(MachineService.method.acceptMachine, {
    onSuccess: () => showToast(`${name} is let in`),
    onError,
  });
  const command = useMutation(MachineService.method.commandMachine, {
    onSuccess: () => {
      setAsked(undefined);
      showToast(`Told the agent of ${name}; its answer comes as an event`);
    },
  });
  const remove = useMutation(MachineService.method.deleteMachine, {
    onSuccess: async () => {
      await navigate({to: '/machines'});
      showToast(`${name} is deleted`);
    },
  });

  const noAgent =
    mayNot ??
    (machine.presence === Presence.ONLINE
      ? undefined
      : 'Its agent is not connected: nobody would hear');
  const tell = (kind: Command) => () => command.mutate({id, command: kind}, {onError});
  const waits = machine.state === State.PENDING;
  return (
    <>
      {waits ? (
        <Button
          kind="primary"
          icon="check"
          busy={accept.isPending}
          disabledReason={mayNot}
          onClick={() => accept.mutate({id})}
        >
          Accept
        </Button>
      ) : (
        <Button
          kind={
            machine.state === State.ENROLLED || machine.state === State.FAILED ? 'primary' : 'plain'
          }
          icon="build"
          busy={build.isPending}
          disabledReason={
            mayNot ??
            (buildableStates.has(machine.state) ? undefined : 'Nothing is built in this state')
          }
          onClick={() => build.mutate({machineId: id})}
        >
          Build
        </Button>
      )}
      <Button icon="light" disabledReason={noAgent} onClick={tell(Command.LOCATE)}>
        Locate
      </Button>
      <Menu
        label="More"
        items={[
          {
            label: 'Reboot …',
            icon: 'refresh',
            disabledReason: noAgent,
            onSelect: () => setAsked('reboot'),
          },
          {
            label: 'Power off …',
            icon: 'boot',
            disabledReason: noAgent,
            onSelect: () => setAsked('power off'),
          },
          {
            label: 'Take inventory again',
            icon: 'search',
            disabledReason: noAgent,
            onSelect: tell(Command.COLLECT_INVENTORY),
          },
          {
            label: 'Print its sheet',
            icon: 'print',
            onSelect: () => void navigate({to: '/machines/$id/sheet', params: {id}}),
          },
          {
            label: 'Split the record …',
            icon: 'split',
            onSelect: () => void navigate({to: '/machines/$id/split', params: {id}}),
          },
          ...(waits || machine.state === State.ENROLLED
            ? [
                {
                  label: 'Reject …',
                  icon: 'cross' as const,
                  danger: true,
                  disabledReason: mayNot,
                  onSelect: () => setAsked('reject'),
                },
              ]
            : []),
          {
            label: 'Delete …',
            icon: 'trash',
            danger: true,
            disabledReason: mayNot,
            onSelect: () => setAsked('delete'),
          },
        ]}
      />
      {(asked === 'reboot' || asked === 'power off') && (
        <ConfirmDialog
          title={`${asked === 'reboot' ? 'Reboot' : 'Power off'} ${name}?`}
          action={asked === 'reboot' ? 'Reboot' : 'Power off'}
          {...(machine.state === State.ACTIVE && {typeToConfirm: name})}
          busy={command.isPending}
          error={<ErrorState error={command.error} attempt={asked} />}
          onConfirm={() =>
            command.mutate({id, command: asked === 'reboot' ? Command.REBOOT : Command.POWER_OFF})
          }
          onClose={() => setAsked(undefined)}
        >
          {machine.state === State.ACTIVE
            ? 'It is in service: what runs on it is interrupted.'
            : 'It is not in service.'}{' '}
          {asked === 'power off' && 'Somebody has to switch it on again by hand.'}
        </ConfirmDialog>
      )}
      {asked === 'delete' && (
        <ConfirmDialog
          title={`Delete ${name}?`}
          action="Delete"
          typeToConfirm={name}
          busy={remove.isPending}
          error={<ErrorState error={remove.error} attempt={`delete ${name}`} />}
          onConfirm={() => remove.mutate({id})}
          onClose={() => setAsked(undefined)}
        >
          Its inventory, metrics and boot history go with it, and its agent is no longer heard. This
          cannot be undone; when it boots again it is a new machine.
        </ConfirmDialog>
      )}
      {asked === 'reject' && <RejectDialog machine={machine} onClose={() => setAsked(undefined)} />}
    </>
  );
}

export const BackToMachines = () => <ButtonLink to="/machines">To the machines</ButtonLink>;
