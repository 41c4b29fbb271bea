import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {TextAreaField, TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Card, KeyValues} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {useUpdateMachine} from './use-update-machine.ts';

const paths = ['hostname', 'description', 'notes'] as const;

/** What people call it and say about it. */
export function DetailsEditor({machine}: {readonly machine: Machine}) {
  const {id, hostname, description, notes} = machine;
  const [draft, setDraft] = useState<{hostname: string; description: string; notes: string}>();
  const mayNot = useOperateReason(machine.workspaceId);
  const update = useUpdateMachine();
  const save = () => {
    if (!draft) return;
    const change = (fields: typeof draft) => ({
      machine: {id, ...fields},
      updateMask: {paths: [...paths]},
    });
    update.mutate(change(draft), {
      onSuccess: () => {
        setDraft(undefined);
        showToast('Saved', {undo: () => update.mutate(change({hostname, description, notes}))});
      },
    });
  };
  return (
    <Card
      title="Details"
      actions={
        !draft && (
          <Button
            kind="quiet"
            disabledReason={mayNot}
            onClick={() => setDraft({hostname, description, notes})}
          >
            Edit
          </Button>
        )
      }
    >
      {draft ? (
        <Form onSubmit={save}>
          <TextField
            label="Host name"
            autoFocus
            value={draft.hostname}
            onChange={event => setDraft({...draft, hostname: event.target.value})}
          />
          <TextField
            label="Description"
            value={draft.description}
            onChange={event => setDraft({...draft, description: event.target.value})}
          />
          <TextAreaField
            label="Notes"
            value={draft.notes}
            onChange={event => setDraft({...draft, notes: event.target.value})}
          />
          <ErrorState error={update.error} attempt="save the details" />
          <div className="form-actions">
            <Button onClick={() => setDraft(undefined)}>Cancel</Button>
            <Button type="submit" kind="primary" busy={update.isPending}>
              Save
            </Button>
          </div>
        </Form>
      ) : (
        <KeyValues
          entries={[
            ['Host name', hostname || <span className="muted">none</span>],
            ['Description', description || <span className="muted">none</span>],
            ['Notes', notes && <span className="pre-line">{notes}</span>],
          ]}
        />
      )}
    </Card>
  );
}
