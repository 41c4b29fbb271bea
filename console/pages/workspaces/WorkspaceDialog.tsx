import {type Workspace, WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {TextAreaField, TextField} from '../../forms/fields.tsx';
import {FormDialog} from '../../forms/FormDialog.tsx';
import {plural} from '../../ui/format.ts';
import {ErrorState} from '../../ui/states.tsx';

const quotaMax = 1_000_000;

type WorkspaceDialogProps = {
  /** Undefined: a new one. */
  readonly workspace: Workspace | undefined;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
};

export function WorkspaceDialog({workspace, onClose, onSaved}: WorkspaceDialogProps) {
  const [name, setName] = useState(workspace?.name ?? '');
  const [description, setDescription] = useState(workspace?.description ?? '');
  const [quota, setQuota] = useState(String(workspace?.machinesMax ?? 0));
  const {save, error, isPending} = useSaveWorkspace(workspace, () => {
    onClose();
    onSaved(name);
  });
  const submit = () => save({name, description, machinesMax: Number(quota)});
  const assigned = workspace?.machineCount ?? 0;
  const isBelow = Number(quota) > 0 && Number(quota) < assigned;
  return (
    <FormDialog
      title={workspace ? `Change ${workspace.name}` : 'New workspace'}
      action={workspace ? 'Save' : 'Make the workspace'}
      busy={isPending}
      onSubmit={submit}
      onClose={onClose}

      error={<ErrorState error={error} attempt="save the workspace" />}
    >
      <TextField
        label="Name"
        hint="Lower case letters, digits and dashes"
        pattern="[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?"
        required
        autoFocus
        autoCapitalize="off"
        autoComplete="off"
        value={name}
        onChange={event => setName(event.target.value)}
      />
      <TextField
        label="Machines at most"
        type="number"
        min={0}
        max={quotaMax}
        required
        hint={
          isBelow
            ? `${plural(assigned, 'machine')} are assigned already: they stay, further ones are kept out`
            : '0 is no limit'
        }
        value={quota}
        onChange={event => setQuota(event.target.value)}
      />
      <TextAreaField
        label="What it is for"
        maxLength={4096}
        value={description}
        onChange={event => setDescription(event.target.value)}
      />
    </FormDialog>
  );
}

type Fields = {readonly name: string; readonly description: string; readonly machinesMax: number};

function useSaveWorkspace(workspace: Workspace | undefined, onDone: () => void) {
  const options = {
    done: ({workspace}: {readonly workspace?: Workspace | undefined}) =>
      `Saved workspace ${workspace?.name ?? ''}`,
    onDone,
  };
  const create = useAction(WorkspaceService.method.createWorkspace, options);
  const update = useAction(WorkspaceService.method.updateWorkspace, options);
  const save = (fields: Fields) =>
    workspace
      ? update.mutate({
          workspace: {id: workspace.id, ...fields},
          updateMask: {paths: ['name', 'description', 'machines_max']},
        })
      : create.mutate({workspace: fields});
  return {
    save,
    error: create.error ?? update.error,
    isPending: create.isPending || update.isPending,
  };
}
