import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {useMutation, useQuery} from '@connectrpc/connect-query';
import {Code} from '@connectrpc/connect';
import {useQueryClient} from '@tanstack/react-query';
import {Link, useRouter, useSearch} from '@tanstack/react-router';
import {useState} from 'react';
import {isCode} from '../../api/errors.ts';
import {TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {PasswordField} from '../../forms/PasswordField.tsx';
import {Button} from '../../ui/Button.tsx';
import {ErrorState, Notice} from '../../ui/states.tsx';
import {Door} from './Door.tsx';
import {safeNext} from './next.ts';

export function SignInPage() {
  const {next} = useSearch({from: '/sign-in'});
  const {data: options, error, refetch} = useQuery(SessionService.method.getSignInOptions, {});
  const enter = useEnter(next);
  const login = useMutation(SessionService.method.login, {onSuccess: enter});
  const oidc = useMutation(SessionService.method.beginOidcLogin, {
    onSuccess: ({authorizationUrl}) => globalThis.location.assign(authorizationUrl),
  });

  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const submit = () => login.mutate({username, password, cookie: true});

  return (
    <Door title="Sign in" version={options?.serverVersion}>
      {options?.setupRequired && (
        <Notice tone="info" icon="info">
          <strong>This server has no administrator yet.</strong>
          <p>
            Open the one-time setup link that the server printed at its start. It is over? Run{' '}
            <code>muster admin setup-link</code> on the server.
          </p>
        </Notice>
      )}
      <ErrorState error={error} attempt="reach the server" onRetry={() => void refetch()} />
      <Form onSubmit={submit}>
        <TextField
          label="User name"
          name="username"
          autoComplete="username"
          autoCapitalize="off"
          required
          autoFocus
          value={username}
          onChange={event => setUsername(event.target.value)}
        />
        <PasswordField
          label="Password"
          value={password}
          onChange={setPassword}
          error={
            isCode(login.error, Code.Unauthenticated) ? 'User name or password is wrong' : undefined
          }
        />
        {login.error && !isCode(login.error, Code.Unauthenticated) && (
          <ErrorState error={login.error} attempt="sign in" />
        )}
        <Button type="submit" kind="primary" busy={login.isPending}>
          Sign in
        </Button>
      </Form>
      {options && !options.setupRequired && (
        <p className="door-note">
          Password forgotten? An administrator makes a code for you:{' '}
          <Link to="/reset">enter it</Link>.
        </p>
      )}
      {options?.oidc && (
        <>
          <div className="door-or">or</div>
          <Button
            icon="external"
            busy={oidc.isPending || oidc.isSuccess}
            onClick={() => {
              sessionStorage.setItem('muster.next', safeNext(next));
              oidc.mutate({
                redirectUrl: `${globalThis.location.origin}/oidc/callback`,
                cookie: true,
              });
            }}
          >
            Sign in with {options.oidcName || 'single sign-on'}
          </Button>
          <ErrorState error={oidc.error} attempt="ask the provider" />
        </>
      )}
    </Door>
  );
}

/** Somebody is signed in now: nothing that was loaded before counts. */
export function useEnter(next: string | undefined): () => Promise<void> {
  const router = useRouter();
  const queryClient = useQueryClient();
  return async () => {
    queryClient.clear();
    await router.invalidate();
    router.history.replace(safeNext(next));
  };
}
