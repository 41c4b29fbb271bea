import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  type User,
  type User_Role as Role,
  UserService,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {type ReactNode, useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Button} from '../../ui/Button.tsx';
import {PaneSection} from '../../ui/DetailPane.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {roleOf, roleWord, siteRoles} from './roles.ts';
import '../../ui/detail-pane.css';

type UserFieldsProps = {readonly user: User; readonly isMe: boolean};

type Draft = {readonly role: Role; readonly email: string; readonly subject: string};

/** What differs only: another administrator may change the rest meanwhile. */
const changesOf = (user: User, {role, email, subject}: Draft) => ({
  ...(role !== user.role && {role}),
  ...(email !== user.email && {email}),
  ...(subject.trim() !== user.certificateSubject && {certificateSubject: subject.trim()}),
});

/** Role, e-mail and certificate: saved together. One's own role is asked about, since one may not be able to take it back. */
export function UserFields({user, isMe}: UserFieldsProps) {
  const {username, role, email, certificateSubject: subject} = user;
  const reason = useReason(Permission.ADMINISTER);
  const [draft, setDraft] = useState<Draft>({role, email, subject});
  const [asking, setAsking] = useState(false);
  const save = useAction(UserService.method.updateUser, {
    done: () => `Saved ${username}`,
    onDone: () => setAsking(false),
    also: [SessionService],
  });
  const changes = changesOf(user, draft);
  const missing = Object.keys(changes).length === 0 ? 'Nothing is changed' : undefined;
  const write = () => save.mutate({id: username, ...changes});
  const submit = () => {
    if (isMe && draft.role !== role) setAsking(true);
    else write();
  };
  const error = <ErrorState error={save.error} attempt="save the user" />;
  return (
    <PaneSection title="Role and identity">
      <Form onSubmit={submit}>
        <DraftFields draft={draft} onChange={part => setDraft({...draft, ...part})} />
        {!asking && error}
        <div className="pane-actions">
          <Button
            type="submit"
            kind="primary"
            busy={save.isPending}
            disabledReason={reason ?? missing}
          >
            Save
          </Button>
        </div>
      </Form>
      {asking && (
        <OwnRoleDialog
          from={role}
          to={draft.role}
          busy={save.isPending}
          error={error}
          onConfirm={write}
          onClose={() => setAsking(false)}
        />
      )}
    </PaneSection>
  );
}

type DraftFieldsProps = {
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
};

function DraftFields({draft, onChange}: DraftFieldsProps) {
  return (
    <>
      <SelectField
        label="Role everywhere"
        choices={siteRoles}
        value={draft.role}
        onChange={event => onChange({role: roleOf(event.target.value)})}
      />
      <TextField
        label="E-mail"
        type="email"
        value={draft.email}
        onChange={event => onChange({email: event.target.value})}
      />
      <TextField
        label="Subject of the client certificate"
        hint="Whole, as “O=Example,CN=alice”; empty takes it away"
        spellCheck={false}
        maxLength={512}
        value={draft.subject}
        onChange={event => onChange({subject: event.target.value})}
      />
    </>
  );
}

type OwnRoleDialogProps = {
  readonly from: Role;
  readonly to: Role;
  readonly busy: boolean;
  readonly error: ReactNode;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
};

function OwnRoleDialog({from, to, ...rest}: OwnRoleDialogProps) {
  const word = roleWord(to).toLowerCase();
  return (
    <ConfirmDialog title="Change your own role?" action={`Make me ${word}`} {...rest}>
      <p>
        You are {roleWord(from).toLowerCase()} now. As {word} you may not be able to take this back:
        another administrator has to.
      </p>
    </ConfirmDialog>
  );
}
