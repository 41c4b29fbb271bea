import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Workspace as WorkspaceMessage,
  type WorkspaceMember,
  WorkspaceMemberSchema,
  WorkspaceSchema,
  type WorkspaceService,
} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import type {WorkspaceMachines} from '../domain/workspace-machines.ts';
import type {WorkspaceMembers} from '../domain/workspace-members.ts';
import type {CountedWorkspace, Workspaces} from '../domain/workspaces.ts';
import {DomainError} from '../errors.ts';
import type {MemberRow} from '../store/role-bindings.ts';
import type {WorkspaceChange} from '../store/workspaces.ts';
import {callerKey} from './caller.ts';
import {type MachineView, toMachineMessage} from './machine-messages.ts';
import {type Changeable, pickChange} from './pick-change.ts';
import {required} from './required.ts';
import {storable} from './storable.ts';
import {fromProtoRole, toProtoRole} from './users.ts';

export const workspaceService = ({
  workspaces,
  machines,
  members,
  view,
}: {
  readonly workspaces: Workspaces;
  readonly machines: WorkspaceMachines;
  readonly members: WorkspaceMembers;
  readonly view: MachineView;
}): ServiceImpl<typeof WorkspaceService> => ({
  async listWorkspaces(request) {
    const page = await workspaces.list(request);
    return {workspaces: page.workspaces.map(toMessage), nextPageToken: page.nextPageToken};
  },

  async getWorkspace({id}) {
    return {workspace: toMessage(await workspaces.get(id))};
  },

  async createWorkspace({workspace}, {values}) {
    const {name, description, machinesMax} = required(workspace, 'a workspace');
    const wanted = {name, description: storable(description, 'description'), machinesMax};
    return {workspace: toMessage(await workspaces.create(values.get(callerKey).name, wanted))};
  },

  async updateWorkspace({workspace, updateMask}, {values}) {
    const wanted = required(workspace, 'a workspace');
    const paths = (updateMask?.paths ?? []).filter(path => !told.has(path));
    const change = pickChange('workspace', changeable, wanted, paths);
    const changed = await workspaces.update(values.get(callerKey).name, wanted.id, change);
    return {workspace: toMessage(changed)};
  },

  async deleteWorkspace({id}, {values}) {
    await workspaces.delete(values.get(callerKey).name, id);
    return {};
  },

  async assignMachine({workspaceId, machineId}, {values}) {
    const machine = await machines.assign(values.get(callerKey).name, workspaceId, machineId);
    return {machine: toMachineMessage(machine, view)};
  },

  async releaseMachine({workspaceId, machineId}, {values}) {
    const machine = await machines.release(values.get(callerKey).name, workspaceId, machineId);
    return {machine: toMachineMessage(machine, view)};
  },

  async listWorkspaceMembers({workspaceId, pageSize, pageToken}) {
    const page = await members.list(workspaceId, {pageSize, pageToken});
    return {members: page.members.map(toMemberMessage), nextPageToken: page.nextPageToken};
  },

  async grantWorkspaceRole({workspaceId, userId, role: wanted}, {values}) {
    const role = fromProtoRole.get(wanted);
    if (!role || role === 'member')
      throw new DomainError('invalid_argument', `Cannot give "${userId}" an unknown role`);
    const {name} = values.get(callerKey);
    const member = await members.grant(name, workspaceId, {user: userId, role});
    return {member: toMemberMessage(member)};
  },

  async revokeWorkspaceRole({workspaceId, userId}, {values}) {
    await members.revoke(values.get(callerKey).name, workspaceId, userId);
    return {};
  },
});

const toMessage = ({createTime, updateTime, ...same}: CountedWorkspace): WorkspaceMessage =>
  create(WorkspaceSchema, {
    ...same,
    createTime: timestampFromDate(createTime),
    updateTime: timestampFromDate(updateTime),
  });

const toMemberMessage = ({role, createTime, ...same}: MemberRow): WorkspaceMember =>
  create(WorkspaceMemberSchema, {
    ...same,
    role: toProtoRole[role],
    createTime: timestampFromDate(createTime),
  });

/** By the names of the contract. */
const changeable: Changeable<WorkspaceMessage, WorkspaceChange> = {
  name: ({name}) => ({name}),
  description: ({description}) => ({description: storable(description, 'description')}),
  machines_max: ({machinesMax}) => ({machinesMax}),
};
/** A client that sends back what it got names these too. */
const told: ReadonlySet<string> = new Set([
  'machine_count',
  'member_count',
  'create_time',
  'update_time',
]);
