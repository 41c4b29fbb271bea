import {BootAction as Action, BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {CommandMachineRequest_Command as Command} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useMutation, useQuery} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useState} from 'react';
import {explainError} from '../../api/errors.ts';
import {Checkbox, SelectField} from '../../forms/fields.tsx';
import {dateOf, formatRelative} from '../../ui/format.ts';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showFailure, showToast} from '../../ui/Toast.tsx';
import {imageKindWord, shortImageId} from '../images/image-words.ts';
import {bootActionWord} from './boot-words.ts';

const imagesMax = 200;
const actions = [Action.IMAGE, Action.REGISTRATION, Action.LOCAL_DISK, Action.RETRY] as const;

type OverrideDialogProps = {
  readonly machineId: string;
  readonly name: string;
  /** Chosen at first. */
  readonly imageId?: string;
  readonly onClose: () => void;
};

/** Decides the next boot, or all boots, of one machine. */
export function OverrideDialog({machineId, name, imageId = '', onClose}: OverrideDialogProps) {
  const [action, setAction] = useState<Action>(imageId ? Action.IMAGE : Action.REGISTRATION);
  const [image, setImage] = useState(imageId);
  const [persistent, setPersistent] = useState(false);
  const [reboots, setReboots] = useState(false);
  const {submit, isPending, error} = useOverride({machineId, name, onClose});
  const needsImage = action === Action.IMAGE && image === '';
  return (
    <ConfirmDialog
      title={`What shall ${name} boot?`}
      action={reboots ? 'Decide and reboot' : 'Decide'}
      busy={isPending}
      disabledReason={needsImage ? 'Choose an image first' : undefined}
      error={<ErrorState error={error} attempt="decide its boot" />}
      onConfirm={() =>
        submit({action, imageId: action === Action.IMAGE ? image : '', persistent, reboots})
      }
      onClose={onClose}
    >
      <SelectField
        label="It shall"
        choices={actions.map(value => ({value: String(value), label: bootActionWord(value)}))}
        value={String(action)}
        onChange={event =>
          setAction(actions.find(value => String(value) === event.target.value) ?? action)
        }
      />
      {action === Action.IMAGE && <ImageField value={image} onChange={setImage} />}
      <SelectField
        label="For"
        choices={[
          {value: 'once', label: 'its next boot only'},
          {value: 'always', label: 'all its boots, until it is taken back (a boot entry)'},
        ]}
        value={persistent ? 'always' : 'once'}
        onChange={event => setPersistent(event.target.value === 'always')}
        hint={limitsOf(action, persistent)}
      />
      <Checkbox
        label="Tell it to reboot now"
        checked={reboots}
        onChange={event => setReboots(event.target.checked)}
      />
      <p className="muted">
        {reboots
          ? 'What runs on it ends. It must be online to hear of it.'
          : 'Nothing happens until it boots by itself or is told to.'}{' '}
        A ban goes before it; a quarantined machine gets no image.
      </p>
    </ConfirmDialog>
  );
}

/** server/domain/boot.ts has these limits. */
function limitsOf(action: Action, persistent: boolean): string {
  if (persistent) return 'Does not count while the machine is rejected or retired.';
  const given =
    action === Action.IMAGE || action === Action.REGISTRATION
      ? 'used up when that boot says hello, 30 minutes after it was given at the latest'
      : 'over 10 minutes after it was given';
  return `Waits 24 hours for a boot; then ${given}.`;
}

function ImageField({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (id: string) => void;
}) {
  const {data, error} = useQuery(ImageService.method.listImages, {pageSize: imagesMax});
  const images = data?.images ?? [];
  const now = new Date();
  const labelOf = (id: string) => {
    const found = images.find(image => image.id === id);
    const made = dateOf(found?.createTime);
    return [
      shortImageId(id),
      found && imageKindWord(found.kind).toLowerCase(),
      made && `made ${formatRelative(made, now)}`,
    ]
      .filter(Boolean)
      .join(' · ');
  };
  const ids = [...new Set([...(value ? [value] : []), ...images.map(({id}) => id)])];
  return (
    <SelectField
      label="Image"
      error={error ? explainError(error, 'list the images').message : undefined}
      choices={[
        ...(value ? [] : [{value: '', label: 'Choose one'}]),
        ...ids.map(id => ({value: id, label: labelOf(id)})),
      ]}
      value={value}
      onChange={event => onChange(event.target.value)}
    />
  );
}

type Wanted = {
  readonly action: Action;
  readonly imageId: string;
  readonly persistent: boolean;
  readonly reboots: boolean;
};

function useOverride({machineId, name, onClose}: Omit<OverrideDialogProps, 'imageId'>) {
  const queryClient = useQueryClient();
  const set = useMutation(BootService.method.setBootOverride);
  const clear = useMutation(BootService.method.clearBootOverride);
  const command = useMutation(MachineService.method.commandMachine);
  const submit = ({reboots, ...wanted}: Wanted) =>
    set.mutate(
      {machineId, ...wanted},
      {
        onSuccess: ({decision}) => {
          const undo = () =>
            clear.mutate(
              {machineId, persistent: wanted.persistent},
              {
                onSuccess: () => void queryClient.invalidateQueries(),
                onError: error => showFailure(error, 'take it back'),
              },
            );
          showToast(
            `${name}: ${bootActionWord(decision?.action ?? 0)}. ${decision?.reason ?? ''}`,
            {
              undo,
            },
          );
          if (reboots)
            command.mutate(
              {id: machineId, command: Command.REBOOT},
              {onError: error => showFailure(error, `reboot ${name}`)},
            );
          void queryClient.invalidateQueries();
          onClose();
        },
      },
    );
  return {submit, isPending: set.isPending, error: set.error};
}
