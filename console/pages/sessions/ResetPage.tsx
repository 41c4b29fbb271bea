import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useLocation, useSearch} from '@tanstack/react-router';
import {useState} from 'react';
import {TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {passwordMistake} from '../../forms/new-password.ts';
import {NewPasswordField} from '../../forms/PasswordField.tsx';
import {HiddenUsername} from '../../forms/UsernameField.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {ErrorState, Notice} from '../../ui/states.tsx';
import {Door} from './Door.tsx';
import {useEnter} from './SignInPage.tsx';

const codeCharactersMin = 16;

/**
 * A new password, by the code that an administrator made: typed, or in the link `/reset?user=NAME#CODE`. A fragment is never sent, so it is in no
 * log. Whoever is named in the link is signed in at once.
 */
export function ResetPage() {
  const {user = ''} = useSearch({from: '/reset'});
  const given = useLocation({select: location => location.hash});
  const enter = useEnter('/');
  const login = useMutation(SessionService.method.login, {onSuccess: enter});
  const reset = useMutation(UserService.method.completePasswordReset, {
    onSuccess: () => {
      if (user !== '') login.mutate({username: user, password, cookie: true});
    },
  });
  const [code, setCode] = useState(given);
  const [password, setPassword] = useState('');
  const [touched, setTouched] = useState(false);

  const submit = () => {
    setTouched(true);
    if (passwordMistake(password) === undefined)
      reset.mutate({code: code.trim(), newPassword: password});
  };

  if (reset.isSuccess && (user === '' || login.error)) return <PasswordSet />;
  return (
    <Door title={user === '' ? 'Choose a new password' : `A new password for ${user}`}>
      <Form onSubmit={submit}>
        <HiddenUsername username={user} />
        <TextField
          label="Code"
          className="input mono"
          hint={given === '' ? 'An administrator made it for you; it holds for an hour' : undefined}
          autoComplete="one-time-code"
          autoCapitalize="off"
          spellCheck={false}
          minLength={codeCharactersMin}
          required
          autoFocus={given === ''}
          value={code}
          onChange={event => setCode(event.target.value)}
        />
        <NewPasswordField
          label="New password"
          hint=". All your sessions end"
          touched={touched}
          value={password}
          onChange={setPassword}
        />
        <ErrorState error={reset.error} attempt="set the password" />
        <Button type="submit" kind="primary" busy={reset.isPending || reset.isSuccess}>
          {user === '' ? 'Set the password' : 'Set the password and sign in'}
        </Button>
      </Form>
      <ButtonLink to="/sign-in" kind="quiet">
        You know it after all? Sign in
      </ButtonLink>
    </Door>
  );
}

const PasswordSet = () => (
  <Door title="The password is set">
    <Notice tone="ok" icon="check">
      It counts from now on; the code and all sessions that there were have ended.
    </Notice>
    <ButtonLink to="/sign-in" kind="primary">
      Sign in
    </ButtonLink>
  </Door>
);
