import {type Webhook, WebhookService} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {Checkbox, TextField} from '../../forms/fields.tsx';
import {FormDialog} from '../../forms/FormDialog.tsx';
import {SecretDialog} from '../../ui/SecretOnce.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {HeaderFields} from './HeaderFields.tsx';
import {TemplateFields} from './TemplateFields.tsx';
import {draftOf, fieldsOf, updatePaths, type WebhookDraft} from './webhook-draft.ts';

type WebhookDialogProps = {
  /** Undefined: a new one. */
  readonly webhook: Webhook | undefined;
  readonly onClose: () => void;
  readonly onSaved: (name: string) => void;
};

export function WebhookDialog({webhook, onClose, onSaved}: WebhookDialogProps) {
  const [draft, setDraft] = useState(() => draftOf(webhook));
  const change = (part: Partial<WebhookDraft>) => setDraft({...draft, ...part});
  const create = useAction(WebhookService.method.createWebhook);
  const update = useAction(WebhookService.method.updateWebhook, {
    done: () => `Saved webhook ${draft.name}`,
    onDone: () => {
      onClose();
      onSaved(draft.name.trim());
    },
  });
  const submit = () => {
    const fields = fieldsOf(draft);
    if (webhook)
      update.mutate({webhook: {id: webhook.id, ...fields}, updateMask: {paths: updatePaths}});
    else create.mutate({webhook: fields});
  };
  if (create.data)
    return (
      <SecretDialog
        title={`Secret of ${create.data.webhook?.name ?? ''}`}
        what="the secret"
        secret={create.data.secret}
        onClose={() => {
          onClose();
          onSaved(create.data.webhook?.name ?? draft.name);
        }}
      >
        <p>
          It signs each request (header <code>webhook-signature</code>): the receiver verifies with
          it what it gets. A lost one is replaced by “Change the secret”.
        </p>
      </SecretDialog>
    );
  const error = create.error ?? update.error;
  return (
    <FormDialog
      title={webhook ? `Change ${webhook.name}` : 'New webhook'}
      action={webhook ? 'Save' : 'Make the webhook'}
      busy={create.isPending || update.isPending}
      onSubmit={submit}
      onClose={onClose}
      wide
      error={<ErrorState error={error} attempt="save the webhook" />}
    >
      <TargetFields draft={draft} onChange={change} />
      <HeaderFields headers={draft.headers} onChange={headers => change({headers})} />
      <TemplateFields draft={draft} onChange={change} />
    </FormDialog>
  );
}

type PartProps = {
  readonly draft: WebhookDraft;
  readonly onChange: (part: Partial<WebhookDraft>) => void;
};

function TargetFields({draft, onChange}: PartProps) {
  return (
    <div className="webhook-target">
      <TextField
        label="Name"
        required
        autoFocus
        autoComplete="off"
        pattern="[a-zA-Z0-9]([a-zA-Z0-9_. \-]{0,61}[a-zA-Z0-9])?"
        value={draft.name}
        onChange={event => onChange({name: event.target.value})}
      />
      <TextField
        label="Address"
        type="url"
        required
        placeholder="https://chat.example/hook"
        hint="Not loopback or link-local; private networks are open"
        value={draft.url}
        onChange={event => onChange({url: event.target.value})}
      />
      <TextField
        label="Types of events"
        placeholder="machine.failed build."
        hint="Whole types, or beginnings with their dot; empty: all"
        autoComplete="off"
        spellCheck={false}
        value={draft.eventTypes}
        onChange={event => onChange({eventTypes: event.target.value})}
      />
      <TextField
        label="Filter"
        placeholder={'actor = "system"'}
        hint="As for watching events; empty: all of these types"
        autoComplete="off"
        spellCheck={false}
        value={draft.filter}
        onChange={event => onChange({filter: event.target.value})}
      />
      <TextField
        label="Tries until it is dead"
        type="number"
        min={1}
        max={20}
        hint="12 take about three hours"
        value={draft.attemptsMax}
        onChange={event => onChange({attemptsMax: event.target.value})}
      />
      <div className="webhook-enabled">
        <Checkbox
          label="Enabled"
          hint="Sends from the moment at which it is enabled"
          checked={draft.enabled}
          onChange={event => onChange({enabled: event.target.checked})}
        />
      </div>
    </div>
  );
}
