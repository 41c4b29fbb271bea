import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  BootAction,
  BootHop_Kind as Hop,
  BootService,
  BootSession_State,
  type BootSessionSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import {imageId} from './images.ts';
import type {MockNoun} from './transport.ts';

const machineId = '00000000-0000-7000-8000-000000000007';
const sessionId = '00000000-0000-7000-8003-000000000001';
const time = timestampFromMs(Date.UTC(2026, 5, 1));

/** What the mock was asked to do: "setBootOverride 3 once". */
export const bootCalls: string[] = [];

const sessions: MessageInitShape<typeof BootSessionSchema>[] = [
  {
    id: sessionId,
    machineId,
    state: BootSession_State.OPEN,
    startTime: time,
    diagnosis: 'it fetched the kernel; now waiting for the initrd, 4 s so far',
    hops: [
      {id: 'a', kind: Hop.SCRIPT, time, complete: true},
      {id: 'b', kind: Hop.KERNEL, time, complete: true, bytes: 12_000_000n},
    ],
  },
  {
    id: '00000000-0000-7000-8003-000000000002',
    state: BootSession_State.STALLED,
    startTime: time,
    diagnosis: 'Stopped: it got its boot script, but the kernel request did not come',
    client: {macAddresses: ['52:54:00:99:00:01'], serial: 'SN-99'},
    hops: [{id: 'c', kind: Hop.SCRIPT, time, complete: true}],
  },
];
const decided = {machineId, action: BootAction.LOCAL_DISK, actor: 'user:ada', createTime: time};
const overrides = [
  {...decided, persistent: true},
  {...decided, persistent: false, expireTime: timestampFromMs(Date.now() + 3_600_000), given: true},
];

/** Machine 7 boots, has a boot entry and an override; a stranger stalled. The key "fail" fails, and so does the filter "broken". */
export const addBoot: MockNoun = router => {
  bootCalls.length = 0;
  router.service(BootService, {
    explainBoot({machine}) {
      if (machine === 'fail')
        throw new ConnectError('Cannot read the key "fail"', Code.InvalidArgument);
      return {
        machineId,
        decision: {action: BootAction.LOCAL_DISK, reason: 'An operator decided all its boots'},
        considered: [
          'Ban: none of its identifiers is banned',
          'One-time override: none is set',
          'Boot entry: decides local disk. An operator decided all its boots',
        ],
      };
    },
    listBootSessions({states, since, machineId, countTotal}) {
      const bootSessions = sessions.filter(
        session =>
          (states.length === 0 || states.some(state => state === session.state)) &&
          (machineId === '' || session.machineId === machineId),
      );
      if (!countTotal) bootCalls.push(`listBootSessions ${states.join()} since=${since}`);
      return {bootSessions, totalSize: bootSessions.length};
    },
    listBootOverrides: ({persistent}) => ({
      bootOverrides: overrides.filter(
        override => persistent === undefined || override.persistent === persistent,
      ),
    }),
    listBootDecisions({filter}) {
      if (filter === 'broken')
        throw new ConnectError('Cannot use this filter: it ends too early', Code.InvalidArgument);
      const standing = {action: BootAction.IMAGE, imageId, reason: 'It is ready'};
      const decision = {action: BootAction.LOCAL_DISK, reason: 'An operator decided this one boot'};
      return {bootDecisions: [{machineId, decision, standing}]};
    },
    setBootOverride({action, persistent}) {
      bootCalls.push(`setBootOverride ${action} ${persistent ? 'always' : 'once'}`);
      return {decision: {action, reason: 'An operator decided this one boot'}};
    },
    clearBootOverride({persistent}) {
      bootCalls.push(`clearBootOverride ${persistent ? 'entry' : 'once'}`);
      return {};
    },
  });
  router.service(GroupService, {
    listGroups: () => ({
      groups: [{id: 'g', name: 'web-servers', bootProfile: {serialConsole: 'ttyS0,115200'}}],
    }),
  });
  router.service(RuleService, {listRules: () => ({rules: []})});
};
