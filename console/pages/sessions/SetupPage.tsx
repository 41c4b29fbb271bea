import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useLocation} from '@tanstack/react-router';
import {useState} from 'react';
import {TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {passwordMistake} from '../../forms/new-password.ts';
import {NewPasswordField} from '../../forms/PasswordField.tsx';
import {NewUsernameField} from '../../forms/UsernameField.tsx';
import {Button} from '../../ui/Button.tsx';
import {ErrorState, Notice} from '../../ui/states.tsx';
import {Door} from './Door.tsx';
import {useEnter} from './SignInPage.tsx';

/** The first administrator, by the link that the server printed: `/setup#CODE`. A fragment is never sent, so it is in no log. */
export function SetupPage() {
  const code = useLocation({select: location => location.hash});
  const enter = useEnter('/');
  const login = useMutation(SessionService.method.login, {onSuccess: enter});
  const setup = useMutation(SessionService.method.completeSetup, {
    onSuccess: () => login.mutate({username, password, cookie: true}),
  });
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [email, setEmail] = useState('');
  const [touched, setTouched] = useState(false);

  const submit = () => {
    setTouched(true);
    if (passwordMistake(password) === undefined) setup.mutate({code, username, password, email});
  };

  if (code === '')
    return (
      <Door title="Set Muster up">
        <Notice tone="warn" icon="warning">
          <strong>This link is not whole: the code after “#” is missing.</strong>
          <p>
            Open the link as the server printed it. A new one is made by{' '}
            <code>muster admin setup-link</code>.
          </p>
        </Notice>
      </Door>
    );
  return (
    <Door title="Make the first administrator">
      <Form onSubmit={submit}>
        <NewUsernameField autoComplete="username" value={username} onChange={setUsername} />
        <NewPasswordField
          label="Password"
          hint="; a long sentence is better than signs"
          touched={touched}
          value={password}
          onChange={setPassword}
        />
        <TextField
          label="E-mail (may stay empty)"
          type="email"
          autoComplete="email"
          value={email}
          onChange={event => setEmail(event.target.value)}
        />
        <ErrorState error={setup.error} attempt="make the administrator" />
        <ErrorState error={login.error} attempt="sign in" />
        <Button type="submit" kind="primary" busy={setup.isPending || login.isPending}>
          Make the administrator and sign in
        </Button>
      </Form>
    </Door>
  );
}
