import {User_Role as Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {type FormEvent, useId, useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {Button} from '../../ui/Button.tsx';
import {Dialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {roleOf, passwordCharactersMin, passwordMistake, siteRoles} from './roles.ts';

type CreateUserDialogProps = {
  readonly onClose: () => void;
  readonly onMade: (username: string) => void;
};

export function CreateUserDialog({onClose, onMade}: CreateUserDialogProps) {
  const formId = useId();
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>(Role.VIEWER);
  const [touched, setTouched] = useState(false);
  const create = useAction(UserService.method.createUser, {
    done: () => `${username} may sign in now`,
    onDone: () => onMade(username),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTouched(true);
    if (passwordMistake(password) === undefined) create.mutate({username, email, password, role});
  };
  return (
    <Dialog
      title="New user"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} kind="primary" busy={create.isPending}>
            Make the user
          </Button>
        </>
      }
    >
      <form id={formId} className="form" onSubmit={submit}>
        <TextField
          label="User name"
          hint="Lower case letters, digits, dots and dashes; it cannot be changed later"
          autoComplete="off"
          autoCapitalize="off"
          pattern="[a-z0-9][a-z0-9._\-]{0,62}"
          required
          autoFocus
          value={username}
          onChange={event => setUsername(event.target.value)}
        />
        <SelectField
          label="Role everywhere"
          hint="Roles in single workspaces are given afterwards"
          choices={siteRoles}
          value={role}
          onChange={event => setRole(roleOf(event.target.value))}
        />
        <TextField
          label="First password"
          type="password"
          autoComplete="new-password"
          hint={`At least ${passwordCharactersMin} characters. They change it under “Your account”`}
          required
          error={touched ? passwordMistake(password) : undefined}
          value={password}
          onChange={event => setPassword(event.target.value)}
        />
        <TextField
          label="E-mail (may stay empty)"
          type="email"
          autoComplete="off"
          value={email}
          onChange={event => setEmail(event.target.value)}
        />
        {create.error && <ErrorState error={create.error} attempt="make the user" />}
      </form>
    </Dialog>
  );
}
