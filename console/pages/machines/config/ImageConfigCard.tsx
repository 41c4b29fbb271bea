import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useState} from 'react';
import {useOperateReason} from '../../../api/caller.ts';
import {TextAreaField, TextField} from '../../../forms/fields.tsx';
import {Form} from '../../../forms/Form.tsx';
import {linesOf, wordsOf} from '../../../forms/lines.ts';
import {Card} from '../../../ui/blocks.tsx';
import {Button} from '../../../ui/Button.tsx';
import {ErrorState} from '../../../ui/states.tsx';
import {showToast} from '../../../ui/Toast.tsx';
import {useUpdateMachine} from '../use-update-machine.ts';

type Draft = {
  readonly hostName: string;
  readonly packages: string;
  readonly keys: string;
  readonly kernelArguments: string;
};

const draftOf = ({imageConfig}: Machine): Draft => ({
  hostName: imageConfig?.hostName ?? '',
  packages: (imageConfig?.packages ?? []).join(' '),
  keys: (imageConfig?.sshAuthorizedKeys ?? []).join('\n'),
  kernelArguments: (imageConfig?.kernelArguments ?? []).join(' '),
});

/** The small declared system: Debian with these packages. Files of it are kept as they are. */
export function ImageConfigCard({machine}: {readonly machine: Machine}) {
  const [draft, setDraft] = useState(() => draftOf(machine));
  const mayNot = useOperateReason(machine.workspaceId);
  const update = useUpdateMachine();
  const isChanged = JSON.stringify(draft) !== JSON.stringify(draftOf(machine));
  const set = (change: Partial<Draft>) => setDraft({...draft, ...change});
  const save = () => {
    update.mutate(
      {
        machine: {
          id: machine.id,
          imageConfig: {
            hostName: draft.hostName,
            packages: wordsOf(draft.packages),
            sshAuthorizedKeys: linesOf(draft.keys),
            // A comma is a part of one: console=ttyS0,115200.
            kernelArguments: draft.kernelArguments.split(/\s+/).filter(Boolean),
            files: machine.imageConfig?.files ?? [],
          },
        },
        updateMask: {paths: ['image_config']},
      },
      {onSuccess: () => showToast('Saved. Build the machine to use it.')},
    );
  };
  const files = machine.imageConfig?.files.length ?? 0;
  return (
    <Card title="Debian system">
      <Form onSubmit={save}>
        <TextField
          label="Host name"
          value={draft.hostName}
          onChange={event => set({hostName: event.target.value})}
        />
        <TextAreaField
          label="Packages"
          hint="Names of Debian packages"
          value={draft.packages}
          onChange={event => set({packages: event.target.value})}
        />
        <TextAreaField
          label="SSH keys of root"
          hint="One line each, as in authorized_keys"
          value={draft.keys}
          onChange={event => set({keys: event.target.value})}
        />
        <TextField
          label="Kernel arguments"
          value={draft.kernelArguments}
          onChange={event => set({kernelArguments: event.target.value})}
        />
        {files > 0 && (
          <p className="muted">
            It has {files} files, too: <code>muster machines update --image-config</code> changes
            them.
          </p>
        )}
        <ErrorState error={update.error} attempt="save the configuration" />
        <div className="form-actions">
          <Button
            type="submit"
            kind="primary"
            busy={update.isPending}
            disabledReason={mayNot ?? (isChanged ? undefined : 'Nothing is changed')}
          >
            Save
          </Button>
        </div>
      </Form>
    </Card>
  );
}
