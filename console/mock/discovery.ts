import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  Ban_Kind as BanKind,
  type BanSchema,
  DiscoveryService,
  type ImportExpectedMachinesRequest,
  type PendingMachineSchema,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {
  Machine_Presence as Presence,
  Machine_State as State,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import {mockMachine} from './machines.ts';
import type {MockNoun} from './transport.ts';

type PendingInit = MessageInitShape<typeof PendingMachineSchema>;
type BanInit = MessageInitShape<typeof BanSchema>;

/** Number 3 was an ACTIVE machine: number 2001 has its board. The serial "FAIL" cannot be accepted. */
function waiting(): PendingInit[] {
  const since = (minutes: number) => timestampFromMs(Date.now() - minutes * 60_000);
  const box = (number: number, serviceTag: string, minutes: number) => ({
    ...mockMachine(number),
    state: State.PENDING,
    presence: Presence.ONLINE,
    hostname: '',
    serviceTag,
    createTime: since(minutes),
  });
  return [
    {
      machine: {
        ...box(2001, 'NEW2001', 95),
        uuid: '4c4c4544-0042-3510-8052-b4c04f303332',
        quarantineReason: 'It has identifiers of machine "node-00003"',
      },
      bmcMacAddress: '3c:ec:ef:00:20:01',
      bmcIpAddress: '10.0.9.41',
      switchPorts: [{interface: 'eno1', switch: 'tor-7', port: 'Eth12', vlanId: 120}],
      identityScore: 130,
      identityReasons: ['uuid (+40)', 'system serial (+40)', 'mac (+25)', 'board serial (+25)'],
      lookAlikes: [
        {
          machineId: mockMachine(3).id ?? '',
          name: 'node-00003',
          state: State.ACTIVE,
          score: 25,
          reasons: ['same bmc mac (+40)', 'other mac (-15)'],
        },
      ],
      nextStep: 'Accept it if it is a machine of its own; or merge the two (that one stays)',
    },
    {
      machine: box(2002, 'NEW2002', 12),
      identityScore: 65,
      identityReasons: ['system serial (+40)', 'mac (+25)'],
      heldByRule: 'storage',
      nextStep: 'Rule "storage" holds it: accept or reject it',
    },
    {machine: box(2003, 'FAIL', 3), identityScore: 0, nextStep: 'Accept or reject it'},
  ];
}

export const addDiscovery: MockNoun = router => {
  let machines = waiting();
  let bans: BanInit[] = [];
  const leave = (id: string) => {
    machines = machines.filter(({machine}) => machine?.id !== id);
  };
  const banOf = (value: string, reason: string): BanInit => ({
    id: `ban-${value}`,
    kind: value.includes(':') ? BanKind.MAC_ADDRESS : BanKind.SERIAL,
    value,
    reason,
    actor: 'user:ada',
    createTime: timestampFromMs(Date.now()),
  });
  router.service(DiscoveryService, {
    listPendingMachines: ({id}) => ({
      machines: machines.filter(each => id === '' || each.machine?.id === id),
      totalSize: BigInt(machines.length),
    }),
    mergeMachines({id, absorbedId}) {
      leave(absorbedId);
      return {machine: {...mockMachine(3), id}};
    },
    banMachine({id, reason}) {
      const machine = machines.find(each => each.machine?.id === id)?.machine;
      leave(id);
      const made = [machine?.serviceTag, machine?.macAddress].flatMap(value =>
        value ? [banOf(value, reason)] : [],
      );
      bans = [...made, ...bans];
      return {bans: made};
    },
    importExpectedMachines: importCsv,
    getMachineEvidence: () => evidence(),
    splitMachine({id, identifiers}) {
      if (identifiers.includes('FAIL'))
        throw new ConnectError(
          `Cannot split machine "${id}": it is provisioning; wait until that is done`,
          Code.FailedPrecondition,
        );
      return {machine: {...mockMachine(3), id}, splitMachine: mockMachine(7)};
    },
    listBans: () => ({bans}),
    createBan({identifier, reason}) {
      if (identifier === 'junk')
        throw new ConnectError(
          'Cannot ban "junk": it is no MAC address, UUID or serial number',
          Code.InvalidArgument,
        );
      const ban = banOf(identifier, reason);
      bans = [ban, ...bans];
      return {ban};
    },
    deleteBan({id}) {
      bans = bans.filter(ban => ban.id !== id);
      return {};
    },
  });
  addDecisions(router, () => machines, leave);
};

/** Of number 3, which answers for a second box whose serial is "OTHER17"; "FAIL" cannot be taken away. */
const evidence = () => ({
  items: [
    {kind: 'disk_serial', value: 'FAIL'},
    {kind: 'mac', value: mockMachine(3).macAddress ?? ''},
    {kind: 'mac', value: '3c:ec:ef:00:17:02'},
    {kind: 'system_serial', value: 'OTHER17'},
    {kind: 'system_serial', value: 'SN000003'},
  ],
  boots: [
    {
      values: [mockMachine(3).macAddress ?? '', 'SN000003'],
      count: 12,
      lastTime: timestampFromMs(Date.now() - 60_000),
      ipAddress: '10.0.0.3',
    },
    {
      values: ['3c:ec:ef:00:17:02', 'OTHER17'],
      count: 2,
      lastTime: timestampFromMs(Date.now() - 86_400_000),
      ipAddress: '10.0.0.17',
    },
  ],
});

/** A line with "junk" in it is bad; a heading that is called "rack" is unknown. */
function importCsv({csv, dryRun, partial}: ImportExpectedMachinesRequest) {
  const [headings = '', ...rows] = csv.split('\n').filter(line => line !== '');
  if (headings.includes('rack,'))
    return {
      rowCount: rows.length,
      problems: [
        {line: 1, column: 'rack', problem: 'There is no such heading', remedy: 'Remove the column'},
      ],
    };
  const problems = rows.flatMap((row, index) =>
    row.includes('junk')
      ? [
          {
            line: index + 2,
            column: 'macs',
            problem: '"junk" is no MAC address',
            remedy: 'Write MAC addresses as 52:54:00:aa:00:01',
          },
        ]
      : [],
  );
  const goodCount = rows.length - problems.length;
  const applied = !dryRun && (partial || problems.length === 0);
  const machineIds = applied
    ? Array.from({length: goodCount}, (_, index) => mockMachine(index).id ?? '')
    : [];
  return {rowCount: rows.length, goodCount, applied, problems, machineIds};
}

/** What MachineService says to machines that wait: beside machinesOf(), which knows only of others. */
function addDecisions(
  router: Parameters<MockNoun>[0],
  machines: () => readonly PendingInit[],
  leave: (id: string) => void,
): void {
  const {acceptMachine, rejectMachine, commandMachine} = MachineService.method;
  router.rpc(acceptMachine, ({id}) => {
    const found = machines().find(({machine}) => machine?.id === id)?.machine;
    if (found?.serviceTag === 'FAIL')
      throw new ConnectError(
        'Cannot accept machine "FAIL": nothing identifies it; set a serial number first',
        Code.FailedPrecondition,
      );
    leave(id);
    return {machine: {...found, state: State.ENROLLED}};
  });
  router.rpc(rejectMachine, ({id, reason}) => {
    leave(id);
    return {machine: {id, state: State.REJECTED, stateReason: reason}};
  });
  router.rpc(commandMachine, () => ({commandId: 'command-1'}));
}
