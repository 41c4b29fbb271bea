import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  BootAction,
  BootHop_Kind as Hop,
  BootService,
  BootSession_State,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

const machineId = '00000000-0000-7000-8000-000000000007';
const sessionId = '00000000-0000-7000-8003-000000000001';
const time = timestampFromMs(Date.UTC(2026, 5, 1));

/** What the mock was asked to do: "setBootOverride 3 once". */
export const bootCalls: string[] = [];

/** Machine 7 boots and has a boot entry; a stranger stalled. The key "fail" fails. */
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
    listBootSessions: () => ({
      bootSessions: [
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
      ],
    }),
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
  router.service(EventService, {
    async *watchEvents({typePrefix}, {signal}) {
      yield {position: 10n};
      if (typePrefix === 'boot_') {
        const event = (position: bigint, type: string, rest: object) => ({
          position,
          event: {id: String(position), position, time, type, ...rest},
        });
        yield event(11n, 'boot_session.opened', {
          machineId,
          subject: `boot-sessions/${sessionId}`,
          data: {macAddress: '52:54:00:00:00:07'},
        });
        yield event(12n, 'boot_session.opened', {
          subject: 'boot-sessions/stranger',
          data: {macAddress: '52:54:00:99:00:01'},
        });
        yield event(13n, 'boot_session.stalled', {subject: 'boot-sessions/stranger', data: {}});
        yield event(14n, 'boot_override.set', {
          machineId,
          actor: 'user:ada',
          data: {action: 'local_disk', persistent: true},
        });
      }
      await new Promise(resolve => signal.addEventListener('abort', resolve));
    },
  });
};
