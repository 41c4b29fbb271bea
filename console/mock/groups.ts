import type {MessageInitShape} from '@bufbuild/protobuf';
import {type GroupSchema, GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {mockMachine} from './machines.ts';
import type {MockNoun} from './transport.ts';

type GroupInit = MessageInitShape<typeof GroupSchema>;

const some = (): GroupInit[] => [
  {
    id: 'group-1',
    name: 'rack7',
    filter: 'labels.rack = "r7"',
    priority: 5,
    bootProfile: {serialConsole: 'ttyS0,115200'},
  },
  {
    id: 'group-2',
    name: 'web-servers',
    description: 'Production web servers',
    tags: ['production'],
    imageGate: ['service:nginx.service'],
    templates: [{name: 'base-server', version: 0, parameters: {timeZone: 'Europe/Berlin'}}],
  },
];

/** The name "taken" is. A group by hand begins with the machines 1 to 3. */
export const addGroups: MockNoun = router => {
  let groups = some();
  let members = [1, 2, 3].map(mockMachine);
  const find = (key: string) => {
    const found = groups.find(({id, name}) => id === key || name === key);
    if (!found) throw new ConnectError(`Cannot find group "${key}"`, Code.NotFound);
    return found;
  };
  router.service(GroupService, {
    listGroups: () => ({groups}),
    getGroup: ({id}) => ({group: find(id)}),
    createGroup({group}) {
      if (group?.name === 'taken')
        throw new ConnectError(
          'Cannot create group "taken": the name is taken; choose another',
          Code.AlreadyExists,
        );
      const made = {...group, $typeName: undefined, id: `group-${groups.length + 1}`} as GroupInit;
      groups = [...groups, made];
      return {group: made};
    },
    updateGroup({group}) {
      const changed = {...group, $typeName: undefined} as GroupInit;
      groups = groups.map(old => (old.id === group?.id ? changed : old));
      return {group: changed};
    },
    deleteGroup({id}) {
      groups = groups.filter(group => group.id !== id);
      return {};
    },
    listGroupMachines: ({groupId}) => ({
      machines: find(groupId).filter ? [mockMachine(7), mockMachine(19)] : members,
    }),
    addGroupMachine({groupId, machineId}) {
      const number = Number.parseInt(machineId.slice(-12), 16);
      members = [...members, mockMachine(number)];
      return {group: find(groupId)};
    },
    removeGroupMachine({groupId, machineId}) {
      members = members.filter(({id}) => id !== machineId);
      return {group: find(groupId)};
    },
    getMachineConfiguration: () => ({
      configuration: {
        values: [
          {field: 'templates', value: 'base-server', origin: 'group web-servers'},
          {field: 'serial_console', value: 'ttyS0,115200', origin: 'group rack7'},
          {field: 'host_name', value: 'node-00001', origin: 'machine'},
        ],
      },
    }),
    listMachineGroups: () => ({groups}),
  });
  addFoundMachines(router, () => members);
};

/** Instead of that of machinesOf(), which knows neither groups nor quotes. */
function addFoundMachines(
  router: Parameters<MockNoun>[0],
  members: () => readonly ReturnType<typeof mockMachine>[],
): void {
  router.rpc(MachineService.method.listMachines, ({filter, pageSize}) => {
    if (filter === 'fail')
      throw new ConnectError('Cannot read the filter: "fail" is none', Code.InvalidArgument);
    const words = filter.replaceAll('"', '');
    const found = filter.startsWith('group = ')
      ? members()
      : Array.from({length: 100}, (_, number) => mockMachine(number)).filter(({hostname = ''}) =>
          hostname.includes(words),
        );
    return {machines: found.slice(0, pageSize || 50), totalSize: BigInt(found.length)};
  });
}
