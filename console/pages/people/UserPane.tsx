import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {type User, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {isCode} from '../../api/errors.ts';
import {KeyValues} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {DetailPane, PaneSection} from '../../ui/DetailPane.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, Notice} from '../../ui/states.tsx';
import {signInWords} from './roles.ts';
import {UserActions} from './UserActions.tsx';
import {UserFields} from './UserFields.tsx';
import {UserWorkspaces} from './UserWorkspaces.tsx';

type UserPaneProps = {
  readonly name: string;
  readonly me: string | undefined;
  readonly onClose: () => void;
};

export function UserPane({name, me, onClose}: UserPaneProps) {
  const {data, error, refetch} = useQuery(UserService.method.getUser, {id: name});
  const user = data?.user;
  return (
    <DetailPane title={user?.username ?? name} label="User" onClose={onClose}>
      {isCode(error, Code.NotFound) ? (
        <EmptyState icon="question" title={`There is no user “${name}”`}>
          <p>They may have been deleted meanwhile.</p>
        </EmptyState>
      ) : user ? (
        <UserDetails user={user} isMe={user.username === me} onGone={onClose} />
      ) : (
        <Loading error={error} refetch={refetch} attempt="load the user" lines={6} />
      )}
    </DetailPane>
  );
}

type UserDetailsProps = {
  readonly user: User;
  readonly isMe: boolean;
  readonly onGone: () => void;
};

function UserDetails({user, isMe, onGone}: UserDetailsProps) {
  return (
    <>
      {user.disabled && (
        <Notice tone="warn" icon="warning">
          <strong>Disabled.</strong> Password, sessions, tokens and certificate are refused.
        </Notice>
      )}
      <KeyValues
        entries={[
          ['Signs in by', signInWords(user)],
          ['Made', <RelativeTime time={user.createTime} />],
          [
            'Id',
            <>
              <span className="mono">{user.id.slice(0, 13)}…</span>{' '}
              <CopyButton text={user.id} what="the id" />
            </>,
          ],
        ]}
      />
      <UserFields user={user} isMe={isMe} />
      <UserWorkspaces user={user} />
      <PaneSection title="Sessions and tokens">
        <div className="pane-actions">
          <ButtonLink to="/people" search={{tab: 'sessions', user: user.username}}>
            Sessions
          </ButtonLink>
          <ButtonLink to="/people" search={{tab: 'tokens', user: user.username}}>
            API tokens
          </ButtonLink>
          <ButtonLink to="/audit" search={{actor: `user:${user.username}`}}>
            What they did
          </ButtonLink>
        </div>
      </PaneSection>
      <UserActions user={user} isMe={isMe} onGone={onGone} />
    </>
  );
}
