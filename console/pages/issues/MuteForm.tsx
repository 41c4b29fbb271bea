import {type ReactNode, useState} from 'react';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Button} from '../../ui/Button.tsx';
import {muteTimes} from './issue-words.ts';
import './issues.css';

export type MuteOrder = {
  readonly duration: string;
  readonly reason: string;
  readonly onMachine: boolean;
};

type MuteFormProps = {
  /** Asks whether later issues of the kind on that machine are meant, too. */
  readonly hasScope?: boolean;
  readonly isBusy: boolean;
  readonly error: ReactNode;
  readonly onSubmit: (order: MuteOrder) => void;
  readonly onClose: () => void;
};

const scopes = [
  {value: 'issue', label: 'This issue'},
  {value: 'machine', label: 'This kind on this machine, later ones too'},
];

/** For a while, never for ever: whoever mutes says until when, and why. */
export function MuteForm({hasScope = false, isBusy, error, onSubmit, onClose}: MuteFormProps) {
  const [duration, setDuration] = useState('8h');
  const [reason, setReason] = useState('');
  const [scope, setScope] = useState('issue');
  const submit = () => onSubmit({duration, reason: reason.trim(), onMachine: scope === 'machine'});
  return (
    <Form className="issue-form" onSubmit={submit}>
      <SelectField
        label="Mute for"
        choices={muteTimes}
        value={duration}
        onChange={event => setDuration(event.target.value)}
      />
      {hasScope && (
        <SelectField
          label="What is muted"
          choices={scopes}
          value={scope}
          onChange={event => setScope(event.target.value)}
        />
      )}
      <TextField
        label="Why, for the others"
        required
        maxLength={1024}
        autoFocus
        value={reason}
        onChange={event => setReason(event.target.value)}
      />
      {error}
      <div className="pane-actions">
        <Button type="submit" kind="primary" busy={isBusy}>
          Mute
        </Button>
        <Button onClick={onClose}>Cancel</Button>
      </div>
    </Form>
  );
}
