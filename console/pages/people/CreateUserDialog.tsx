import {User_Role as Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {FormDialog} from '../../forms/FormDialog.tsx';
import {passwordMistake} from '../../forms/new-password.ts';
import {NewPasswordField} from '../../forms/PasswordField.tsx';
import {NewUsernameField} from '../../forms/UsernameField.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {roleOf, siteRoles} from './roles.ts';

type CreateUserDialogProps = {
  readonly onClose: () => void;
  readonly onMade: (username: string) => void;
};

export function CreateUserDialog({onClose, onMade}: CreateUserDialogProps) {
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>(Role.VIEWER);
  const [touched, setTouched] = useState(false);
  const create = useAction(UserService.method.createUser, {
    done: () => `${username} may sign in now`,
    onDone: () => onMade(username),
  });
  const submit = () => {
    setTouched(true);
    if (passwordMistake(password) === undefined) create.mutate({username, email, password, role});
  };
  return (
    <FormDialog
      title="New user"
      action="Make the user"
      busy={create.isPending}
      onSubmit={submit}
      onClose={onClose}
      error={<ErrorState error={create.error} attempt="make the user" />}
    >
      <NewUsernameField
        hint="; it cannot be changed later"
        autoComplete="off"
        value={username}
        onChange={setUsername}
      />
      <SelectField
        label="Role everywhere"
        hint="Roles in single workspaces are given afterwards"
        choices={siteRoles}
        value={role}
        onChange={event => setRole(roleOf(event.target.value))}
      />
      <NewPasswordField
        label="First password"
        hint=". They change it under “Your account”"
        touched={touched}
        value={password}
        onChange={setPassword}
      />
      <TextField
        label="E-mail (may stay empty)"
        type="email"
        autoComplete="off"
        value={email}
        onChange={event => setEmail(event.target.value)}
      />
    </FormDialog>
  );
}
