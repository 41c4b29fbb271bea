import type {GetCallerResponse} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {useState} from 'react';
import {useCaller} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {Form} from '../../forms/Form.tsx';
import {passwordMistake} from '../../forms/new-password.ts';
import {NewPasswordField, PasswordField} from '../../forms/PasswordField.tsx';
import {HiddenUsername} from '../../forms/UsernameField.tsx';
import {Card, KeyValues, Skeleton} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {permissionWord, signInWords} from './roles.ts';
import './people.css';
import '../../ui/detail-pane.css';

/** Everybody's own: who one is, what one may, the password. */
export function AccountTab() {
  const caller = useCaller();
  if (!caller) return <Skeleton lines={4} />;
  return (
    <div className="people-cards">
      <Card
        title="Who you are"
        actions={
          <ButtonLink to="/people" search={{tab: 'sessions'}}>
            Your sessions
          </ButtonLink>
        }
      >
        <KeyValues
          entries={[
            ['User', caller.user?.username ?? caller.name],
            ['In the audit as', <span className="mono">{caller.name}</span>],
            ['E-mail', caller.user?.email],
            ['Sign in by', caller.user && signInWords(caller.user)],
            ['Certificate', caller.user?.certificateSubject],
            [
              'Session ends',
              caller.expireTime && (
                <>
                  <RelativeTime time={caller.expireTime} />, unless it is used
                </>
              ),
            ],
          ]}
        />
      </Card>
      <GrantsCard caller={caller} />
      {caller.user && !caller.user.external && <PasswordCard username={caller.user.username} />}
    </div>
  );
}

function GrantsCard({caller}: {readonly caller: GetCallerResponse}) {
  return (
    <Card title="What you may">
      {caller.grants.length === 0 ? (
        <p>Nothing yet. An administrator gives you a role everywhere or in a workspace.</p>
      ) : (
        <table className="grants">
          <thead>
            <tr>
              <th scope="col">Where</th>
              <th scope="col">Role</th>
              <th scope="col">May</th>
            </tr>
          </thead>
          <tbody>
            {caller.grants.map(({workspaceId, workspaceName, role, permissions}) => (
              <tr key={workspaceId}>
                <td>{workspaceId === '' ? 'Everywhere' : workspaceName}</td>
                <td>{role}</td>
                <td className="muted">
                  {permissions
                    .map(permission => permissionWord(permission).toLowerCase())
                    .join(', ')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function PasswordCard({username}: {readonly username: string}) {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [touched, setTouched] = useState(false);
  const change = useAction(UserService.method.changePassword, {
    done: () => 'Your password is changed; your other sessions have ended',
    also: [SessionService],
    onDone: () => {
      setCurrent('');
      setNext('');
      setTouched(false);
    },
  });
  const submit = () => {
    setTouched(true);
    if (passwordMistake(next) === undefined)
      change.mutate({currentPassword: current, newPassword: next});
  };
  return (
    <Card title="Change the password">
      <Form onSubmit={submit}>
        <HiddenUsername username={username} />
        <PasswordField label="Present password" value={current} onChange={setCurrent} />
        <NewPasswordField
          label="New password"
          hint=". Your other sessions end"
          touched={touched}
          value={next}
          onChange={setNext}
        />
        <ErrorState error={change.error} attempt="change the password" />
        <div className="pane-actions">
          <Button type="submit" kind="primary" busy={change.isPending}>
            Change the password
          </Button>
        </div>
      </Form>
    </Card>
  );
}
