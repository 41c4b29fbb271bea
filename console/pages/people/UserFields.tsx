import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  type User,
  type User_Role as Role,
  UserService,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {type FormEvent, useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {Button} from '../../ui/Button.tsx';
import {PaneSection} from '../../ui/DetailPane.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {roleOf, roleWord, siteRoles} from './roles.ts';
import '../../ui/detail-pane.css';

type UserFieldsProps = {readonly user: User; readonly isMe: boolean};

/** Role, e-mail and certificate: saved together. One's own role is asked about, since one may not be able to take it back. */
export function UserFields({user, isMe}: UserFieldsProps) {
  const reason = useReason(Permission.ADMINISTER);
  const [role, setRole] = useState<Role>(user.role);
  const [email, setEmail] = useState(user.email);
  const [subject, setSubject] = useState(user.certificateSubject);
  const [asking, setAsking] = useState(false);
  const save = useAction(UserService.method.updateUser, {
    done: () => `Saved ${user.username}`,
    onDone: () => setAsking(false),
    also: [SessionService],
  });
  const isChanged =
    role !== user.role || email !== user.email || subject !== user.certificateSubject;
  const write = () =>
    save.mutate({id: user.username, role, email, certificateSubject: subject.trim()});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isMe && role !== user.role) setAsking(true);
    else write();
  };
  const error = save.error && <ErrorState error={save.error} attempt="save the user" />;
  return (
    <PaneSection title="Role and identity">
      <form className="form" onSubmit={submit}>
        <SelectField
          label="Role everywhere"
          choices={siteRoles}
          value={role}
          onChange={event => setRole(roleOf(event.target.value))}
        />
        <TextField
          label="E-mail"
          type="email"
          value={email}
          onChange={event => setEmail(event.target.value)}
        />
        <TextField
          label="Subject of the client certificate"
          hint="Whole, as “O=Example,CN=alice”; empty takes it away"
          spellCheck={false}
          maxLength={512}
          value={subject}
          onChange={event => setSubject(event.target.value)}
        />
        {!asking && error}
        <div className="pane-actions">
          <Button
            type="submit"
            kind="primary"
            busy={save.isPending}
            disabledReason={reason ?? (isChanged ? undefined : 'Nothing is changed')}
          >
            Save
          </Button>
        </div>
      </form>
      {asking && (
        <ConfirmDialog
          title="Change your own role?"
          action={`Make me ${roleWord(role).toLowerCase()}`}
          busy={save.isPending}
          error={error}
          onConfirm={write}
          onClose={() => setAsking(false)}
        >
          <p>
            You are {roleWord(user.role).toLowerCase()} now. As {roleWord(role).toLowerCase()} you
            may not be able to take this back: another administrator has to.
          </p>
        </ConfirmDialog>
      )}
    </PaneSection>
  );
}
