import test from 'ava';
import {ComponentService} from '@muster/proto/gen/muster/v1/components_pb.ts';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {serve} from '../../test/helpers/one-port.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {enrolMachine, wireMachines} from '../../test/helpers/server-machines.ts';
import type {Part} from '../domain/hardware-parts.ts';
import {componentService} from './components.ts';
import {hardwareService} from './hardware.ts';
import {issueService} from './issues.ts';

const postgres = postgresOf(test);

const mac = '3c:ec:ef:00:00:01';
const disk = (serial: string): Part => ({
  kind: 'disk',
  slot: 'bay 0',
  serial,
  model: 'X',
  attributes: {size_bytes: '8'},
});
const summary = {
  cpuThreads: 8,
  cpuModel: 'Xeon',
  memoryBytes: 1024,
  diskCount: 1,
  diskBytes: 8,
  firmwareMode: 'uefi',
};

/** One machine that reported twice, with another disk the second time. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const server = await wireMachines(sql);
  const machineId = await enrolMachine(server, {mac, systemSerial: 'ABC1234'});
  for (const [index, serial] of ['D1X', 'D2X'].entries()) {
    const json = JSON.stringify({disks: [{name: 'sda', serial}]});
    const inventory = {
      json,
      summary,
      parts: [disk(serial)],
      unread: new Set<never>(),
      facts: '{}',
      words: '',
    };
    const time = new Date(Date.UTC(2026, 0, 1 + index));
    await sql.begin(tx => server.hardware.save(tx, machineId, inventory, {time}));
  }
  const app = stack.use(
    await serve({
      routes: router => {
        router.service(HardwareService, hardwareService(server.hardware));
        router.service(ComponentService, componentService(server.components));
        router.service(IssueService, issueService(server));
      },
    }),
  );
  const owned = stack.move();
  return {
    machineId,
    async call(path: string, {role = 'viewer', body}: {role?: string; body?: object} = {}) {
      const response = await fetch(`${app.url}/api/v1/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: {authorization: `Bearer ${role}`, 'content-type': 'application/json'},
        ...(body ? {body: JSON.stringify(body)} : {}),
      });
      return {status: response.status, body: await response.json()};
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('versions and their difference over REST', async t => {
  await using app = await setUp();
  const at = `machines/${app.machineId}/hardware`;
  t.like((await app.call(at)).body, {
    collect_time: '2026-01-02T00:00:00Z',
    disks: [{name: 'sda', serial: 'D2X'}],
  });
  const {body: versions} = await app.call(`${at}/versions`);
  t.like(versions, {
    length: 2,
    0: {
      number: 2,
      create_time: '2026-01-02T00:00:00Z',
      counts: {replaced: 1},
      summaries: ['Disk D1X (X) in slot bay 0 replaced by Disk D2X (X)'],
    },
  });
  t.like((await app.call(`${at}/versions/1`)).body, {
    number: 1,
    part_count: 1,
    hardware: {collect_time: '2026-01-01T00:00:00Z', disks: [{serial: 'D1X'}]},
  });
  t.like((await app.call(`${at}/diff?from=1&to=2`)).body, {
    from: 1,
    to: 2,
    changes: [
      {
        type: 'replaced',
        before: {kind: 'disk', slot: 'bay 0', serial: 'D1X', attributes: {size_bytes: '8'}},
        after: {serial: 'D2X'},
      },
    ],
  });
  t.is((await app.call(`${at}/versions/9`)).status, 404);
  t.is((await app.call(`${at}/versions/0`)).status, 400);
  t.is((await app.call(`machines/no-id/hardware/versions`)).status, 400);
});

test('components and their path over REST', async t => {
  await using app = await setUp();
  const {body: found} = await app.call(`components?machine_id=${app.machineId}`);
  t.like(found, {length: 1, 0: {kind: 'disk', serial: 'D2X', slot: 'bay 0'}});
  t.like((await app.call('components/d1x')).body, {
    serial: 'D1X',
    leave_time: '2026-01-02T00:00:00Z',
    path: [{machine_id: app.machineId, service_tag: 'ABC1234', slot: 'bay 0'}],
  });
  t.is((await app.call('components/nobody')).status, 404);
  t.is((await app.call('components?machine_id=rack')).status, 400);
  t.is((await app.call('components?serial=%00')).status, 400);
});

test('issues over REST, acknowledged and cleared by operators only', async t => {
  await using app = await setUp();
  const {body: issues} = await app.call(`issues?machine_id=${app.machineId}&source=hardware`);
  t.like(issues, {
    length: 1,
    0: {
      kind: 'component_swapped',
      severity: 'warning',
      component: 'disk D1X',
      evidence: {before: {serial: 'D1X'}, after: {serial: 'D2X'}},
    },
  });
  const {id} = (issues as readonly {readonly id: string}[])[0] ?? {id: ''};
  t.like((await app.call(`issues/${id}`)).body, {id});
  const note = {note: 'Planned'};
  t.is((await app.call(`issues/${id}/acknowledge`, {body: note})).status, 403);
  t.like((await app.call(`issues/${id}/acknowledge`, {body: note, role: 'operator'})).body, {
    acknowledged_by: 'user:operator',
    note: 'Planned',
    clear_reason: 'Acknowledged by user:operator',
  });
  t.deepEqual((await app.call('issues')).body, []);
  t.is((await app.call(`issues/${id}/clear`, {body: {reason: '\0'}, role: 'admin'})).status, 400);
});
