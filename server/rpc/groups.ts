import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Group as GroupMessage,
  GroupSchema,
  type GroupService,
} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import type {Groups} from '../domain/groups.ts';
import {printable} from '../domain/identifiers.ts';
import {DomainError} from '../errors.ts';
import type {Group, GroupChange} from '../store/groups.ts';
import {callerKey} from './caller.ts';
import {type MachineView, toMachineMessage} from './machine-messages.ts';
import {storable} from './storable.ts';

export const groupService = (
  groups: Groups,
  view: MachineView,
): ServiceImpl<typeof GroupService> => ({
  async listGroups(request) {
    const page = await groups.list(request);
    return {groups: page.groups.map(toGroupMessage), nextPageToken: page.nextPageToken};
  },

  async getGroup({id}) {
    return {group: toGroupMessage(await groups.get(id))};
  },

  async createGroup({group}, {values}) {
    const {name, description, tags, filter} = required(group);
    if (name === '')
      throw new DomainError('invalid_argument', 'Cannot create a group without a name: give one');
    const created = await groups.create(values.get(callerKey).name, {
      name,
      description: storable(description, 'description'),
      tags: tags.map(tag => storable(tag, 'tag')),
      filter: filter.trim(),
    });
    return {group: toGroupMessage(created)};
  },

  async updateGroup({group, updateMask}, {values}) {
    const wanted = required(group);
    const change = pick(wanted, updateMask?.paths ?? []);
    const changed = await groups.update(values.get(callerKey).name, wanted.id, change);
    return {group: toGroupMessage(changed)};
  },

  async deleteGroup({id}, {values}) {
    await groups.delete(values.get(callerKey).name, id);
    return {};
  },

  async listGroupMachines({groupId, ...query}) {
    const page = await groups.machines(groupId, {
      ...query,
      states: [],
      countTotal: false,
      columns: undefined,
    });
    const machines = page.machines.map(machine => toMachineMessage(machine, view));
    return {machines, nextPageToken: page.nextPageToken};
  },

  async addGroupMachine({groupId, machineId}, {values}) {
    const group = await groups.add(values.get(callerKey).name, groupId, machineId);
    return {group: toGroupMessage(group)};
  },

  async removeGroupMachine({groupId, machineId}, {values}) {
    const group = await groups.remove(values.get(callerKey).name, groupId, machineId);
    return {group: toGroupMessage(group)};
  },

  async listMachineGroups({machineId}) {
    return {groups: (await groups.ofMachine(machineId)).map(toGroupMessage)};
  },
});

function toGroupMessage({createTime, updateTime, tags, ...same}: Group): GroupMessage {
  return create(GroupSchema, {
    ...same,
    tags: [...tags],
    createTime: timestampFromDate(createTime),
    updateTime: timestampFromDate(updateTime),
  });
}

/** By the names of the contract. */
const changeable: Readonly<Record<string, (group: GroupMessage) => GroupChange>> = {
  name: ({name}) => ({name}),
  description: ({description}) => ({description: storable(description, 'description')}),
  tags: ({tags}) => ({tags: tags.map(tag => storable(tag, 'tag'))}),
  filter: ({filter}) => ({filter: filter.trim()}),
};
const names = Object.keys(changeable).join(', ');

function pick(group: GroupMessage, paths: readonly string[]): GroupChange {
  const change: GroupChange = Object.assign(
    {},
    // A client that sends back what it got names the group in it too.
    ...paths
      .filter(path => path !== 'id')
      .map(path => {
        const read = changeable[path];
        if (read) return read(group);
        throw new DomainError(
          'invalid_argument',
          `Cannot change "${printable(path, 64)}" of a group: there is ${names}`,
        );
      }),
  );
  if (Object.keys(change).length === 0 || change.name === '')
    throw new DomainError(
      'invalid_argument',
      `Cannot change group "${group.id}": name the fields to change, one or more of ${names}; a name is never empty`,
    );
  return change;
}

function required(group: GroupMessage | undefined): GroupMessage {
  if (!group) throw new DomainError('invalid_argument', 'Cannot go on without a group');
  return group;
}
