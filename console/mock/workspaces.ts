import type {MessageInitShape} from '@bufbuild/protobuf';
import {User_Role as Role} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {
  type WorkspaceMemberSchema,
  type WorkspaceSchema,
  WorkspaceService,
} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

/** One workspace with room for one machine more; nobody is called "nobody". */
export const addWorkspaces: MockNoun = router => {
  const staging: MessageInitShape<typeof WorkspaceSchema> = {
    id: 'w1',
    name: 'staging',
    machinesMax: 3,
    machineCount: 2,
    memberCount: 1,
  };
  let members: MessageInitShape<typeof WorkspaceMemberSchema>[] = [
    {userId: 'u2', username: 'erin', role: Role.OPERATOR},
  ];
  let assigned = 2;
  router.service(WorkspaceService, {
    listWorkspaces: () => ({workspaces: [staging]}),
    getWorkspace({id}) {
      if (id !== 'staging' && id !== 'w1')
        throw new ConnectError(`Cannot find workspace "${id}"`, Code.NotFound);
      return {workspace: {...staging, machineCount: assigned}};
    },
    listWorkspaceMembers: () => ({members}),
    grantWorkspaceRole({userId, role}) {
      if (userId === 'nobody') throw new ConnectError('Cannot find user "nobody"', Code.NotFound);
      const member = {userId, username: userId === 'u2' ? 'erin' : userId, role};
      members = [...members, member];
      return {member};
    },
    revokeWorkspaceRole({userId}) {
      members = members.filter(member => member.userId !== userId);
      return {};
    },
    assignMachine({machineId}) {
      if (assigned >= 3)
        throw new ConnectError(
          `Cannot assign machine "${machineId}": its quota of 3 machines is used up`,
          Code.ResourceExhausted,
        );
      assigned += 1;
      return {};
    },
  });
};
