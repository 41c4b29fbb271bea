import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Group as GroupMessage,
  GroupSchema,
  type GroupService,
} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import type {Configurations} from '../domain/configurations.ts';
import type {Groups} from '../domain/groups.ts';
import {DomainError} from '../errors.ts';
import type {Group, GroupChange} from '../store/groups.ts';
import {fromBootProfileMessage, toBootProfileMessage} from './boot-profile-messages.ts';
import {callerKey} from './caller.ts';
import {type MachineView, toImageConfigMessage, toMachineMessage} from './machine-messages.ts';
import {type Changeable, pickChange} from './pick-change.ts';
import {required} from './required.ts';
import {storable} from './storable.ts';
import {fromMachineTemplateMessage, toMachineTemplateMessage} from './template-messages.ts';

export const groupService = ({
  groups,
  configurations,
  view,
}: {
  readonly groups: Groups;
  readonly configurations: Configurations;
  readonly view: MachineView;
}): ServiceImpl<typeof GroupService> => ({
  async listGroups(request) {
    const page = await groups.list(request);
    return {groups: page.groups.map(toGroupMessage), nextPageToken: page.nextPageToken};
  },

  async getGroup({id}) {
    return {group: toGroupMessage(await groups.get(id))};
  },

  async createGroup({group}, {values}) {
    const wanted = required(group, 'a group');
    const {name, description, tags, filter, priority} = wanted;
    if (name === '')
      throw new DomainError('invalid_argument', 'Cannot create a group without a name: give one');
    const created = await groups.create(values.get(callerKey).name, {
      name,
      description: storable(description, 'description'),
      tags: tags.map(tag => storable(tag, 'tag')),
      filter: filter.trim(),
      priority,
      templates: wanted.templates.map(fromMachineTemplateMessage),
      bootProfile: fromBootProfileMessage(wanted.bootProfile),
      imageGate: wanted.imageGate,
    });
    return {group: toGroupMessage(created)};
  },

  async updateGroup({group, updateMask}, {values}) {
    const wanted = required(group, 'a group');
    const change = pickChange('group', changeable, wanted, updateMask?.paths ?? []);
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

  async getMachineConfiguration({machineId}) {
    const {templates, imageConfig, values} = await configurations.effective(machineId);
    return {
      configuration: {
        templates: templates.map(toMachineTemplateMessage),
        ...(imageConfig ? {imageConfig: toImageConfigMessage(imageConfig)} : {}),
        values: values.map(value => ({...value})),
      },
    };
  },

  async listMachineGroups({machineId}) {
    return {groups: (await groups.ofMachine(machineId)).map(toGroupMessage)};
  },
});

function toGroupMessage(group: Group): GroupMessage {
  const {createTime, updateTime, tags, templates, bootProfile, imageGate, ...same} = group;
  return create(GroupSchema, {
    ...same,
    tags: [...tags],
    templates: templates.map(toMachineTemplateMessage),
    imageGate: [...imageGate],
    ...(bootProfile ? {bootProfile: toBootProfileMessage(bootProfile)} : {}),
    createTime: timestampFromDate(createTime),
    updateTime: timestampFromDate(updateTime),
  });
}

/** By the names of the contract. */
const changeable: Changeable<GroupMessage, GroupChange> = {
  name: ({name}) => ({name}),
  description: ({description}) => ({description: storable(description, 'description')}),
  tags: ({tags}) => ({tags: tags.map(tag => storable(tag, 'tag'))}),
  filter: ({filter}) => ({filter: filter.trim()}),
  priority: ({priority}) => ({priority}),
  templates: ({templates}) => ({templates: templates.map(fromMachineTemplateMessage)}),
  boot_profile: ({bootProfile}) => ({bootProfile: fromBootProfileMessage(bootProfile)}),
  image_gate: ({imageGate}) => ({imageGate}),
};
