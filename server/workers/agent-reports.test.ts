import {randomUUID} from 'node:crypto';
import {once} from 'node:events';
import type {Report} from '@muster/agent/outbox.ts';
import {reportText} from '@muster/agent/report-text.ts';
import {ensureStreams, subjects} from '@muster/runtime/bus.ts';
import {createOutages, silentLogger as log} from '@muster/runtime/log.ts';
import {jetstream, jetstreamManager} from '@nats-io/jetstream';
import {jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';
import {createUser} from '@nats-io/nkeys';
import test from 'ava';
import * as fc from 'fast-check';
import {Registry} from 'prom-client';
import {startNats, type TestNats} from '../../test/helpers/nats.ts';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import {
  addImage,
  allBoots,
  evidenceWith,
  wireMachines,
} from '../../test/helpers/server-machines.ts';
import {startPresenceWriter} from '../domain/presence.ts';
import {startAgentReports} from './agent-reports.ts';
import {startCommandSender} from './commands.ts';
import {createCommitReport} from './commit-report.ts';
import {startHardwareIntake} from './hardware-intake.ts';
import {startInventoryReceipts} from './inventory-receipts.ts';
import {parseReport} from './parse-report.ts';
import {createReceiptPressure} from './receipt-pressure.ts';
import {createReportSettling, type ReportOutcome} from './report-settling.ts';
import {createTakeIn} from './take-in-inventory.ts';

let postgres: TestPostgres;
let nats: TestNats;
test.before(async () => {
  [postgres, nats] = await Promise.all([startPostgres(), startNats()]);
});
test.after.always(async () => {
  await nats[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const mac = '3c:ec:ef:00:00:0a';

/** A server's workers, and one enrolled agent on the bus with its own rights. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await postgres.createDatabase());
  const {sql} = database;
  const server = await wireMachines(sql);
  const connection = stack.adopt(await nats.connectServer(), own => own.close());
  const manager = await jetstreamManager(connection);
  await ensureStreams(manager);
  await manager.streams.purge('REPORTS');
  const outcomes: string[] = [];
  const heard = new EventTarget();
  const count = (outcome: ReportOutcome, kind: string) => {
    outcomes.push(`${kind} ${outcome}`);
    heard.dispatchEvent(new Event('outcome'));
  };
  const {hardware, application: rules, hardwareIntake: intake} = server;
  const pressure = createReceiptPressure();
  const takeIn = createTakeIn({hardware, rules});
  const registry = new Registry();
  const taking = stack.use(startHardwareIntake({intake, takeIn, pressure, count, registry, log}));
  const presence = stack.use(startPresenceWriter({sql, log}));
  const settling = createReportSettling({nats: connection, presence, count, log});
  const kept = (more: number) => taking.wake(more);
  const inventories = stack.use(
    startInventoryReceipts({intake, settling, pressure, kept, count, log}),
  );
  const commit = createCommitReport({sql, hellos: server.hellos, commands: server.commands});
  const outages = createOutages(log);
  const sources = {nats: connection, jetstream: jetstream(connection), outages};
  stack.use(startAgentReports({...sources, commit, inventories, settling}));
  const sender = stack.use(
    startCommandSender({nats: connection, commands: server.commands, rebootWhenReady: true, log}),
  );

  const key = createUser();
  const publicKey = key.getPublicKey();
  const bootToken = await server.token({session: 's1', mac});
  const request = {bootToken, publicKey, imageInputKey: '', bootId: 'b1', agentVersion: '1'};
  const {machineId} = await server.enrolment.enrol({
    ...request,
    evidence: evidenceWith({macAddresses: [mac]}),
  });
  const jwt = await nats.issueAgent(machineId, publicKey);
  const agent = stack.adopt(
    await nats.connectServer({
      authenticator: jwtAuthenticator(jwt, key.getSeed()),
      name: 'agent',
      inboxPrefix: `muster.inbox.${machineId}`,
    }),
    own => own.close(),
  );
  const owned = stack.move();
  return {
    sql,
    server,
    sender,
    agent,
    connection,
    machineId,
    outcomes,
    async outcome(text: string, times = 1) {
      while (outcomes.filter(outcome => outcome === text).length < times)
        await once(heard, 'outcome', {signal: AbortSignal.timeout(20_000)});
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The next command of one kind, as JSON. */
async function nextCommand(agent: NatsConnection, machineId: string, operation: string) {
  const subscription = agent.subscribe(subjects.command(machineId, operation), {max: 1});
  await agent.flush();
  return {
    async read(): Promise<Record<string, unknown>> {
      for await (const message of subscription) return message.json();
      throw new Error('No command came');
    },
  };
}

const hello = (machineId: string, imageInputKey = '') => ({
  reportId: randomUUID(),
  machineId,
  hello: {
    bootSessionId: 's1',
    bootId: 'b1',
    imageInputKey,
    agentVersion: '1',
    machineTime: new Date().toISOString(),
    uptimeSeconds: 1,
  },
});

test.serial('a report is committed once, and its receipt follows', async t => {
  await using app = await setUp();
  const {agent, machineId, server} = app;
  const receipt = await nextCommand(agent, machineId, 'received');
  const report = hello(machineId);
  agent.publish(subjects.agentReport(machineId, 'hello'), JSON.stringify(report));
  t.like(await receipt.read(), {machineId, received: {reportIds: [report.reportId]}});

  const again = await nextCommand(agent, machineId, 'received');
  agent.publish(subjects.agentReport(machineId, 'hello'), JSON.stringify(report));
  t.like(await again.read(), {received: {reportIds: [report.reportId]}});
  await app.outcome('hello repeated');
  t.is((await app.sql`select 1 from events where type = 'machine.booted'`).length, 1);
  t.is(
    (await server.timeline.list({...allBoots, machineId, pageSize: 1, pageToken: ''})).views[0]
      ?.session.state,
    'completed',
  );
});

test.serial('an inventory is kept whole, and an unchanged one changes nothing', async t => {
  await using app = await setUp();
  const {agent, machineId, server, sql} = app;
  const inventory = (collectTime: string) => ({
    reportId: randomUUID(),
    machineId,
    inventory: {
      collectTime,
      cpus: [{model: 'Xeon\u0000 Gold', threads: 8}],
      memory: {totalBytes: String(64 * 2 ** 30)},
      disks: [
        {name: 'sda', sizeBytes: '1000'},
        {name: 'usb', sizeBytes: '5', removable: true},
      ],
      firmware: {mode: 'MODE_UEFI'},
      collectors: [{name: 'cpu', durationMs: collectTime.length}],
    },
  });
  for (const time of ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.5Z']) {
    const receipt = await nextCommand(agent, machineId, 'received');
    agent.publish(subjects.agentReport(machineId, 'inventory'), JSON.stringify(inventory(time)));
    await receipt.read();
  }
  await app.outcome('inventory committed', 2);
  t.like(await server.machines.get(machineId), {
    cpuThreads: 8,
    cpuModel: 'Xeon  Gold'.replace('  ', '  '),
    memoryBytes: 64 * 2 ** 30,
    diskCount: 1,
    diskBytes: 1000,
    firmwareMode: 'uefi',
  });
  t.like(JSON.parse((await server.hardware.get(machineId)).json), {
    disks: {length: 2},
    firmware: {mode: 'MODE_UEFI'},
  });
  t.deepEqual(
    (await sql`select type from events where type like 'hardware.%'`).map(({type}) => type),
    ['hardware.reported'],
  );
});

for (const form of ['packed', 'plain'])
  test.serial(`a ${form} inventory in the words of the last one is confirmed unread`, async t => {
    await using app = await setUp();
    const {agent, machineId, server, sql} = app;
    const send = async (serial: string, second: number, reportId: string = randomUUID()) => {
      const inventory = {
        collectTime: `2026-01-01T00:00:0${second}Z`,
        disks: [{name: 'sda', path: 'p', serial, health: {powerOnHours: String(second)}}],
        collectors: [{name: 'disks', state: 'STATE_COLLECTED' as const, durationMs: second}],
      };
      const body = {inventory};
      const report: Report = {reportId, kind: 'inventory', body, isPlain: form === 'plain'};
      const receipt = await nextCommand(agent, machineId, 'received');
      agent.publish(subjects.agentReport(machineId, 'inventory'), reportText(report, machineId));
      t.like(await receipt.read(), {received: {reportIds: [reportId]}});
      return reportId;
    };
    await send('S1A', 1);
    await app.outcome('inventory committed');
    const [first] = await sql`select confirm_time from machine_hardware`;
    const id = await send('S1A', 2);
    await send('S1A', 3, id);
    await send('S2A', 4);
    await app.outcome('inventory committed', 3);
    await send('S2A', 5);
    // An agent that did not hear its receipt in time: what it says again is not what holds now.
    await send('S1A', 6, id);
    await app.outcome('inventory repeated', 2);
    t.deepEqual(app.outcomes, [
      'inventory received',
      'inventory committed',
      'inventory committed',
      'inventory repeated',
      'inventory received',
      'inventory committed',
      'inventory committed',
      'inventory repeated',
    ]);
    t.true((await server.hardware.get(machineId)).confirmTime > first?.confirmTime);
    const {versions} = await server.hardware.listVersions(machineId, {pageSize: 0, pageToken: ''});
    t.deepEqual(
      versions.map(({summaries}) => summaries),
      [['Disk S1A in slot p replaced by Disk S2A'], []],
    );
  });

test.serial(
  'a burst is received, and then all of it is taken in, in the order of each machine',
  async t => {
    await using app = await setUp();
    const {connection, server, sql, outcomes} = app;
    const machines = Array.from({length: 30}, () => randomUUID());
    const time = new Date();
    const times = {stateTime: time, createTime: time, updateTime: time};
    const rows = machines.map(id => ({id, state: 'enrolled', ...times}));
    await sql`insert into machines ${sql(rows)}`;
    const serials = ['S5Y1NJ0R1', 'S5Y1NJ0R2', 'S5Y1NJ0R3', 'S5Y1NJ0R4'];
    for (const serial of serials)
      for (const machineId of machines) {
        const disks = [{name: 'sda', path: 'p', serial}];
        const report = {reportId: randomUUID(), machineId, inventory: {disks}};
        connection.publish(subjects.agentReport(machineId, 'inventory'), JSON.stringify(report));
      }
    const count = machines.length * serials.length;
    await app.outcome('inventory committed', count);
    t.is(outcomes.filter(outcome => outcome === 'inventory received').length, count);
    for (const machineId of machines) {
      const {versions} = await server.hardware.listVersions(machineId, {
        pageSize: 0,
        pageToken: '',
      });
      t.deepEqual(
        versions.map(({summaries}) => summaries[0]?.slice(-9)),
        ['S5Y1NJ0R4', 'S5Y1NJ0R3', 'S5Y1NJ0R2', undefined],
      );
    }
    t.is((await sql`select from hardware_intake`).length, 0);
  },
);

test.serial('junk, and reports in another machine’s name, are dropped and counted', async t => {
  await using app = await setUp();
  const {agent, machineId, outcomes} = app;
  const subject = subjects.agentReport(machineId, 'result');
  agent.publish(subject, 'no JSON');
  agent.publish(subject, JSON.stringify({...hello(machineId)}));
  agent.publish(
    subject,
    JSON.stringify({
      reportId: randomUUID(),
      machineId: randomUUID(),
      result: {commandId: randomUUID()},
    }),
  );
  agent.publish(
    subject,
    JSON.stringify({reportId: 'no id', machineId, result: {commandId: randomUUID()}}),
  );
  agent.publish(subject, new Uint8Array([0xff, 0xfe]));
  const receipt = await nextCommand(agent, machineId, 'received');
  agent.publish(subjects.agentReport(machineId, 'hello'), JSON.stringify(hello(machineId)));
  await receipt.read();
  await app.outcome('hello committed');
  t.deepEqual(
    outcomes.filter(outcome => outcome !== 'hello committed'),
    Array.from({length: 5}, () => 'result junk'),
  );
});

test.serial(
  'a machine that waits in the registration image is told once to reboot into its image',
  async t => {
    await using app = await setUp();
    const {agent, machineId, server, sql} = app;
    const registration = await addImage(sql, {kind: 'registration'});
    const image = await addImage(sql, {});
    const receipt = await nextCommand(agent, machineId, 'received');
    agent.publish(
      subjects.agentReport(machineId, 'hello'),
      JSON.stringify(hello(machineId, registration.inputKey)),
    );
    await receipt.read();

    const reboot = await nextCommand(agent, machineId, 'reboot');
    await sql.begin(tx =>
      server.transitions.imageReady(tx, {machineId, imageId: image.id, actor: 'system'}),
    );
    app.sender.wake();
    const command = await reboot.read();
    t.like(command, {machineId, reboot: {reason: 'Its image is ready'}});

    const result = {
      reportId: randomUUID(),
      machineId,
      result: {commandId: command.commandId, succeeded: true, message: 'Rebooting'},
    };
    agent.publish(subjects.agentReport(machineId, 'result'), JSON.stringify(result));
    await app.outcome('result committed');
    t.like((await sql`select data from events where type = 'machine.command_finished'`)[0], {
      data: {operation: 'reboot', state: 'succeeded', message: 'Rebooting'},
    });
    t.is(await server.commands.rebootIntoImages(), 0);
  },
);

test.serial('a command is sent again until its result comes, and ends by time', async t => {
  await using app = await setUp();
  const {agent, machineId, server} = app;
  const first = await nextCommand(agent, machineId, 'locate');
  const {id} = await server.commands.request(machineId, {operation: 'locate', actor: 'user:eve'});
  app.sender.wake();
  t.like(await first.read(), {commandId: id, locate: {durationSeconds: 60}});

  const second = await nextCommand(agent, machineId, 'locate');
  server.clock.now = new Date(server.clock.now.getTime() + 6000);
  app.sender.wake();
  t.is((await second.read()).commandId, id);

  server.clock.now = new Date(server.clock.now.getTime() + 11 * 60_000);
  await server.commands.expire();
  t.like((await app.sql`select state from commands`)[0], {state: 'timed_out'});
});

test.serial('a result of another machine ends no command', async t => {
  await using app = await setUp();
  const {server, machineId, sql} = app;
  const {id} = await server.commands.request(machineId, {operation: 'locate', actor: 'user:eve'});
  const forged = {commandId: id, succeeded: true, message: ''};
  await sql.begin(tx => server.commands.finish(tx, randomUUID(), forged));
  t.like((await sql`select state from commands`)[0], {state: 'pending'});
});

test.serial('reports wait out an outage of the database', async t => {
  await using app = await setUp();
  const {agent, machineId} = app;
  const receipt = await nextCommand(agent, machineId, 'received');
  await postgres.stop('SIGKILL');
  agent.publish(subjects.agentReport(machineId, 'hello'), JSON.stringify(hello(machineId)));
  await app.outcome('hello failed');
  await postgres.start();
  await receipt.read();
  t.true(app.outcomes.includes('hello committed'));
});

test.serial('parsing never throws', t => {
  const machineId = randomUUID();
  const subject = subjects.agentReport(machineId, 'hello');
  const anything = fc.oneof(
    fc.json(),
    fc.string(),
    fc
      .record({reportId: fc.uuid(), machineId: fc.constant(machineId), hello: fc.object()})
      .map(value => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(anything, text => {
      const parsed = parseReport({subject, data: Buffer.from(text)});
      t.true(typeof parsed === 'string' || parsed.machineId === machineId);
    }),
  );
});
