import {
  type ListSessionsResponse,
  type Session,
  Session_Method as Method,
  SessionService,
} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo, useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import type {TableColumn} from '../../table/columns.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Button} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {useSignOut} from '../../ui/UserMenu.tsx';
import {WhoseField} from './WhoseField.tsx';

const pageSize = 100;
const rowsOf = ({sessions}: ListSessionsResponse) => sessions;
const methodWords: Readonly<Record<number, string>> = {
  [Method.PASSWORD]: 'password',
  [Method.OIDC]: 'provider',
};

export function SessionsTab() {
  const {user} = useSearch({from: '/shell/people'});
  const navigate = useNavigate();
  const signOut = useSignOut();
  const [ending, setEnding] = useState(false);
  const input = useMemo(() => ({pageSize, userId: user ?? ''}), [user]);
  const list = useKeysetRows(SessionService.method.listSessions, input, rowsOf);
  const {mutate: end} = useAction(SessionService.method.revokeSession, {
    attempt: 'end the session',
    done: () => 'The session has ended',
  });
  const columns = useMemo(
    () => sessionColumns(session => (session.current ? signOut() : end({id: session.id}))),
    // The sign-out of this render does what that of each other does.
    // oxlint-disable-next-line react/exhaustive-deps
    [end],
  );
  return (
    <>
      <div className="toolbar">
        {user !== '-' && (
          <Button onClick={() => setEnding(true)}>
            {user === undefined ? 'End all my others' : `End all of ${user}`}
          </Button>
        )}
        <WhoseField
          user={user}
          onChange={next =>
            void navigate({to: '/people', search: {tab: 'sessions', ...(next && {user: next})}})
          }
        />
        <span className="muted">One that you do not know? End it, then change the password.</span>
      </div>
      <KeysetTable
        label="Sessions"
        columns={columns}
        list={list}
        attempt="list the sessions"
        rowId={({id}) => id}
        empty={
          <EmptyState icon="user" title="Nobody is signed in here">
            <p>API tokens and client certificates are no sessions.</p>
          </EmptyState>
        }
      />
      {ending && <EndAllDialog user={user} onClose={() => setEnding(false)} />}
    </>
  );
}

const sessionColumns = (onEnd: (session: Session) => void): readonly TableColumn<Session>[] => [
  {
    id: 'user',
    header: 'User',
    widthPx: 130,
    grows: true,
    onPhone: true,
    cell: ({username, current}) => (
      <>
        <strong>{username}</strong> {current && <span className="muted">this one</span>}
      </>
    ),
  },
  {
    id: 'where',
    header: 'Where',
    widthPx: 110,
    cell: ({browser}) => (browser ? 'browser' : 'command line'),
  },
  {id: 'how', header: 'By', widthPx: 90, cell: ({method}) => methodWords[method] ?? '–'},
  {
    id: 'address',
    header: 'Address',
    widthPx: 150,
    grows: true,
    cell: ({address, lastAddress}) => (
      <span className="mono" title={`Began at ${address}`}>
        {lastAddress || address}
      </span>
    ),
  },
  {
    id: 'began',
    header: 'Began',
    widthPx: 100,
    cell: ({createTime}) => <RelativeTime time={createTime} />,
  },
  {
    id: 'use',
    header: 'Last use',
    widthPx: 100,
    onPhone: true,
    cell: ({lastUseTime}) => <RelativeTime time={lastUseTime} />,
  },
  {
    id: 'ends',
    header: 'Ends unused',
    widthPx: 116,
    cell: ({expireTime}) => <RelativeTime time={expireTime} />,
  },
  {
    id: 'actions',
    header: 'Action',
    widthPx: 96,
    onPhone: true,
    cell: session => (
      <Button
        kind="quiet"
        aria-label={
          session.current ? 'Sign out of this session' : `End the session of ${session.username}`
        }
        onClick={() => onEnd(session)}
      >
        {session.current ? 'Sign out' : 'End'}
      </Button>
    ),
  },
];

function EndAllDialog({
  user,
  onClose,
}: {
  readonly user: string | undefined;
  readonly onClose: () => void;
}) {
  const revoke = useAction(SessionService.method.revokeSessions, {
    done: ({revokedCount}) => `${plural(revokedCount, 'session')} ended`,
    onDone: onClose,
  });
  return (
    <ConfirmDialog
      title={user === undefined ? 'End all your other sessions?' : `End all sessions of ${user}?`}
      action="End them"
      busy={revoke.isPending}
      error={<ErrorState error={revoke.error} attempt="end the sessions" />}
      onConfirm={() => revoke.mutate({userId: user ?? ''})}
      onClose={onClose}
    >
      <p>
        {user === undefined
          ? 'Everywhere but here you have to sign in again.'
          : `${user} has to sign in again everywhere; open pages end within 10 seconds.`}{' '}
        API tokens stay.
      </p>
    </ConfirmDialog>
  );
}
