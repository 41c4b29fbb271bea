import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {type User, User_Role as Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {SelectField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Button, IconButton} from '../../ui/Button.tsx';
import {PaneSection} from '../../ui/DetailPane.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {roleOf, roleWord, workspaceRoles} from './roles.ts';
import './people.css';

const workspacesMax = 1000;

/** Roles in single workspaces, beside the one everywhere. Taking one away can be undone. */
export function UserWorkspaces({user}: {readonly user: User}) {
  const reason = useReason(Permission.ADMINISTER);
  const userId = user.username;
  const grant = useAction(WorkspaceService.method.grantWorkspaceRole, {
    attempt: `give ${userId} the role back`,
    also: [UserService],
  });
  const revoke = useAction(WorkspaceService.method.revokeWorkspaceRole, {
    attempt: 'take the role away',
    also: [UserService],
  });
  const takeAway = (workspaceId: string, workspace: string, role: Role) =>
    revoke.mutate({workspaceId, userId}, {onSuccess: () => undoable(workspaceId, workspace, role)});
  return (
    <PaneSection title="Roles in workspaces">
      {user.workspaceRoles.length === 0 && (
        <p className="muted">
          None. {user.role === Role.MEMBER && 'As a member without one, they see nothing at all.'}
        </p>
      )}
      <ul className="role-list">
        {user.workspaceRoles.map(({workspaceId, workspace, role}) => (
          <li key={workspaceId}>
            <Link to="/workspaces" search={{workspace}}>
              {workspace}
            </Link>
            <span>{roleWord(role)}</span>
            <IconButton
              icon="close"
              label={`Take away ${workspace}: ${roleWord(role).toLowerCase()}`}
              disabledReason={reason}
              onClick={() => takeAway(workspaceId, workspace, role)}
            />
          </li>
        ))}
      </ul>
      <GrantForm userId={userId} reason={reason} />
    </PaneSection>
  );

  function undoable(workspaceId: string, workspace: string, role: Role): void {
    showToast(`${userId} has no role in ${workspace} any more`, {
      undo: () => grant.mutate({workspaceId, userId, role}),
    });
  }
}

function GrantForm({
  userId,
  reason,
}: {
  readonly userId: string;
  readonly reason: string | undefined;
}) {
  const {data} = useQuery(WorkspaceService.method.listWorkspaces, {pageSize: workspacesMax});
  const [workspaceId, setWorkspaceId] = useState('');
  const [role, setRole] = useState<Role>(Role.VIEWER);
  const grant = useAction(WorkspaceService.method.grantWorkspaceRole, {
    done: ({member}) => `${userId} is ${roleWord(member?.role ?? 0).toLowerCase()} there now`,
    onDone: () => setWorkspaceId(''),
    also: [UserService],
  });
  const workspaces = data?.workspaces ?? [];
  const submit = () => grant.mutate({workspaceId, userId, role});
  if (workspaces.length === 0) return null;
  return (
    <Form className="grant-form" onSubmit={submit}>
      <SelectField
        label="Workspace"
        choices={[
          {value: '', label: 'Choose one'},
          ...workspaces.map(({id, name}) => ({value: id, label: name})),
        ]}
        value={workspaceId}
        onChange={event => setWorkspaceId(event.target.value)}
      />
      <SelectField
        label="Role there"
        choices={workspaceRoles}
        value={role}
        onChange={event => setRole(roleOf(event.target.value))}
      />
      <Button
        type="submit"
        busy={grant.isPending}
        disabledReason={reason ?? (workspaceId === '' ? 'Choose a workspace first' : undefined)}
      >
        Give
      </Button>
      <ErrorState error={grant.error} attempt="give the role" />
    </Form>
  );
}
