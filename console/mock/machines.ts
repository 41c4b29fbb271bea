import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  Machine_Presence as Presence,
  Machine_State as State,
  Machine_Trust as Trust,
  MachineField_Type as FieldType,
  type MachineSchema,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

type MachineInit = MessageInitShape<typeof MachineSchema>;

const makes = [
  ['Dell Inc.', 'PowerEdge R650'],
  ['HPE', 'ProLiant DL360 Gen10'],
  ['Supermicro', 'SYS-1029P'],
  ['Lenovo', 'ThinkSystem SR630'],
] as const;
const states = [State.ACTIVE, State.ACTIVE, State.ACTIVE, State.READY, State.PENDING, State.FAILED];

/** Always the same machine for a number. */
export function mockMachine(number: number): MachineInit {
  const [manufacturer, product] = makes[number % makes.length] ?? makes[0];
  const hex = number.toString(16).padStart(12, '0');
  return {
    id: `00000000-0000-7000-8000-${hex}`,
    state: states[number % states.length] ?? State.ACTIVE,
    presence: number % 9 === 0 ? Presence.OFFLINE : Presence.ONLINE,
    trust: Trust.APPROVED,
    hostname: `node-${String(number).padStart(5, '0')}`,
    serviceTag: `SN${String(number).padStart(6, '0')}`,
    manufacturer,
    product,
    macAddress: `52:54:00${hex.slice(6).replaceAll(/(..)/g, ':$1')}`,
    labels: {rack: `r${number % 12}`},
    hardware: {
      cpuThreads: 32,
      cpuModel: 'Xeon Gold 6330',
      memoryBytes: 256n * 1024n ** 3n,
      diskCount: 2,
      diskBytes: 3_840_000_000_000n,
      firmwareMode: 'uefi',
    },
    lastSeenTime: timestampFromMs(Date.now() - (number % 300) * 1000),
    stateTime: timestampFromMs(Date.now() - (number % 90) * 3_600_000),
    createTime: timestampFromMs(Date.UTC(2026, 0, 1) + number * 60_000),
  };
}

/** The filter "fail" fails; any other word is a part of the host name, or has ids in it; what it says about images is met by all. */
export const machinesOf =
  (count: number): MockNoun =>
  router => {
    const all = Array.from({length: count}, (_, number) => mockMachine(number));
    router.service(MachineService, {
      listMachines({filter, pageSize, pageToken, skip}) {
        if (filter === 'fail')
          throw new ConnectError('Cannot read the filter: "fail" is none', Code.InvalidArgument);
        const found =
          filter === '' || filter.includes('image_id')
            ? all
            : all.filter(
                ({id = '', hostname = ''}) => hostname.includes(filter) || filter.includes(id),
              );
        const from = Number(pageToken || 0) + skip;
        const to = from + (pageSize || 50);
        return {
          machines: found.slice(from, to),
          nextPageToken: to < found.length ? String(to) : '',
          totalSize: BigInt(found.length),
        };
      },
      getMachine({id}) {
        const machine = all.find(machine => machine.id === id);
        if (!machine) throw new ConnectError(`Cannot find machine "${id}"`, Code.NotFound);
        return {machine};
      },
      listMachineFacets: ({fields}) => ({
        facets: fields.map(field => ({
          field,
          values: field === 'state' ? [{value: 'ACTIVE', count: BigInt(count)}] : [],
        })),
      }),
      listMachineFields: () => ({
        fields: [
          {name: 'hostname', type: FieldType.TEXT, sortable: true},
          {name: 'state', type: FieldType.ENUM, values: ['ACTIVE', 'READY'], sortable: true},
          {name: 'labels', type: FieldType.LABELS},
        ],
      }),
    });
  };

export const addMachines: MockNoun = machinesOf(1000);
