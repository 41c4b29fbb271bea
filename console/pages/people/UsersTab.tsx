import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import type {ListUsersResponse, User} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useState} from 'react';
import {useCaller} from '../../api/caller.ts';
import {useReason} from '../../api/use-reason.ts';
import type {TableColumn} from '../../table/columns.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Button} from '../../ui/Button.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {Split} from '../../ui/DetailPane.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {CreateUserDialog} from './CreateUserDialog.tsx';
import {roleWord, signInWords} from './roles.ts';
import {UserPane} from './UserPane.tsx';

const pageSize = 100;
const rowsOf = ({users}: ListUsersResponse) => users;
const wideOnly = new Set(['email', 'made', 'sign-in']);

const columns: readonly TableColumn<User>[] = [
  {
    id: 'user',
    header: 'User',
    widthPx: 140,
    grows: true,
    isFixed: true,
    onPhone: true,
    cell: ({username}) => <strong>{username}</strong>,
  },
  {
    id: 'role',
    header: 'Everywhere',
    widthPx: 100,
    onPhone: true,
    cell: ({role}) => roleWord(role),
  },
  {
    id: 'workspaces',
    header: 'In workspaces',
    widthPx: 180,
    grows: true,
    cell: ({workspaceRoles}) =>
      workspaceRoles
        .map(({workspace, role}) => `${workspace}: ${roleWord(role).toLowerCase()}`)
        .join(', ') || <span className="muted">–</span>,
  },
  {id: 'sign-in', header: 'Signs in by', widthPx: 150, cell: signInWords},
  {
    id: 'email',
    header: 'E-mail',
    widthPx: 180,
    grows: true,
    cell: ({email}) => email || <span className="muted">–</span>,
  },
  {
    id: 'made',
    header: 'Made',
    widthPx: 110,
    cell: ({createTime}) => <RelativeTime time={createTime} />,
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 108,
    onPhone: true,
    cell: ({disabled}) => (
      <Badge
        look={
          disabled
            ? {word: 'Disabled', tone: 'idle', icon: 'cross'}
            : {word: 'Active', tone: 'ok', icon: 'check'}
        }
      />
    ),
  },
];
const all = new Set(columns.map(({id}) => id));
const narrow = new Set([...all].filter(id => !wideOnly.has(id)));

export function UsersTab() {
  const {user: openName} = useSearch({from: '/shell/people'});
  const navigate = useNavigate();
  const [creating, setCreating] = useState(false);
  const reason = useReason(Permission.ADMINISTER);
  const me = useCaller()?.user?.username;
  const list = useKeysetRows(UserService.method.listUsers, {pageSize}, rowsOf);
  const open = (user: string | undefined) =>
    void navigate({to: '/people', search: user === undefined ? {} : {user}});
  return (
    <>
      <div className="toolbar">
        <Button
          kind="primary"
          icon="plus"
          disabledReason={reason}
          onClick={() => setCreating(true)}
        >
          New user
        </Button>
        <span className="muted">
          Rights are read at each call: a lower role and a disabled user count at once.
        </span>
      </div>
      <Split
        pane={
          openName && (
            <UserPane key={openName} name={openName} me={me} onClose={() => open(undefined)} />
          )
        }
      >
        <KeysetTable
          label="Users"
          columns={columns}
          visible={openName ? narrow : all}
          list={list}
          attempt="list the users"
          rowId={({username}) => username}
          onOpen={({username}) => open(username)}
          empty={
            <EmptyState icon="people" title="There are no users">
              <p>The server’s setup link makes the first one:</p>
              <CommandLine command="muster admin setup-link" />
            </EmptyState>
          }
        />
      </Split>
      {creating && (
        <CreateUserDialog
          onClose={() => setCreating(false)}
          onMade={name => {
            setCreating(false);
            open(name);
          }}
        />
      )}
    </>
  );
}
