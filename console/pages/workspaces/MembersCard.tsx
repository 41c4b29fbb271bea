import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {User_Role as Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {
  type Workspace,
  type WorkspaceMember,
  WorkspaceService,
} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Card} from '../../ui/blocks.tsx';
import {Button, IconButton} from '../../ui/Button.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {roleOf, roleWord, workspaceRoles} from '../people/roles.ts';
import '../people/people.css';

const membersMax = 1000;

/** Who has a role in it. Roles that hold everywhere are not told here: those see every workspace. */
export function MembersCard({workspace}: {readonly workspace: Workspace}) {
  const workspaceId = workspace.id;
  const reason = useReason(Permission.ADMINISTER, workspaceId);
  const {data, error, refetch} = useQuery(WorkspaceService.method.listWorkspaceMembers, {
    workspaceId,
    pageSize: membersMax,
  });
  const members = data?.members ?? [];
  return (
    <Card title="Members">
      <div className="prose">
        {!data && <Loading error={error} refetch={refetch} attempt="list the members" lines={3} />}
        {data && members.length === 0 && (
          <p className="muted">
            Nobody has a role here yet; people with a role everywhere see it all the same.
          </p>
        )}
        <ul className="role-list">
          {members.map(member => (
            <Member key={member.userId} member={member} workspace={workspace} reason={reason} />
          ))}
        </ul>
        <GrantForm workspaceId={workspaceId} reason={reason} />
      </div>
    </Card>
  );
}

type MemberProps = {
  readonly member: WorkspaceMember;
  readonly workspace: Workspace;
  readonly reason: string | undefined;
};

function Member({member, workspace, reason}: MemberProps) {
  const {userId, username, role} = member;
  const workspaceId = workspace.id;
  const grant = useAction(WorkspaceService.method.grantWorkspaceRole, {
    attempt: 'give the role',
    also: [UserService],
  });
  const revoke = useAction(WorkspaceService.method.revokeWorkspaceRole, {
    attempt: 'take the role away',
    also: [UserService],
  });
  const takeAway = () =>
    revoke.mutate(
      {workspaceId, userId},
      {
        onSuccess: () =>
          showToast(`${username} has no role in ${workspace.name} any more`, {
            undo: () => grant.mutate({workspaceId, userId, role}),
          }),
      },
    );
  return (
    <li>
      <span>{username}</span>
      <span>{roleWord(role)}</span>
      <IconButton
        icon="close"
        label={`Take the role of ${username} away`}
        disabledReason={reason}
        onClick={takeAway}
      />
    </li>
  );
}

function GrantForm({
  workspaceId,
  reason,
}: {
  readonly workspaceId: string;
  readonly reason: string | undefined;
}) {
  const [userId, setUserId] = useState('');
  const [role, setRole] = useState<Role>(Role.OPERATOR);
  const grant = useAction(WorkspaceService.method.grantWorkspaceRole, {
    done: ({member}) =>
      `${member?.username ?? userId} is ${roleWord(member?.role ?? 0).toLowerCase()} here now`,
    onDone: () => setUserId(''),
    also: [UserService],
  });
  const submit = () => grant.mutate({workspaceId, userId: userId.trim(), role});
  return (
    <Form className="grant-form" onSubmit={submit}>
      <TextField
        label="User name"
        autoCapitalize="off"
        autoComplete="off"
        spellCheck={false}
        required
        value={userId}
        onChange={event => setUserId(event.target.value)}
      />
      <SelectField
        label="Role here"
        choices={workspaceRoles}
        value={role}
        onChange={event => setRole(roleOf(event.target.value))}
      />
      <Button type="submit" busy={grant.isPending} disabledReason={reason}>
        Give
      </Button>
      <ErrorState error={grant.error} attempt="give the role" />
    </Form>
  );
}
