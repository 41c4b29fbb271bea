import {randomUUID} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import anyTest, {type ExecutionContext, type TestFn} from 'ava';
import {jetstreamManager} from '@nats-io/jetstream';
import {headers, type NatsConnection} from '@nats-io/transport-node';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {streams, subjects} from '@muster/runtime/bus.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {
  connectAgent,
  connectAsServer,
  createStranger,
  enrolStranger,
  readMetric,
} from '../helpers/stranger.ts';

type Agent = {
  readonly machineId: string;
  readonly nats: NatsConnection & {readonly refusals: string[]};
};

/** One Muster with two machines that are logged in; B listens for what reaches it. */
async function openScene() {
  await using stack = new AsyncDisposableStack();
  const muster = stack.use(await startMuster());
  const logIn = async (mac: string, serial: string): Promise<Agent> => {
    const stranger = createStranger(muster, {mac, serial});
    const enrolled = await enrolStranger(stranger);
    const nats = stack.adopt(await connectAgent(stranger, enrolled), nats => nats.close());
    return {machineId: enrolled.machineId, nats};
  };
  const a = await logIn('52:54:00:00:0a:01', 'HOSTILE-A');
  const b = await logIn('52:54:00:00:0b:01', 'HOSTILE-B');
  const {nats: bus} = stack.use(await connectAsServer(muster));
  const manager = await until('the streams', async () => {
    const found = await jetstreamManager(bus);
    await found.streams.info('REPORTS');
    await found.streams.info('METRICS');
    return found;
  });
  const heard: string[] = [];
  b.nats.subscribe(`muster.commands.${b.machineId}.>`, {
    callback: (_, message) => void heard.push(`${message.subject} ${message.string()}`),
  });
  await b.nats.flush();
  const owned = stack.move();
  return {muster, a, b, bus, manager, heard, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

type Scene = Awaited<ReturnType<typeof openScene>>;

const test = anyTest as TestFn<Scene>;
test.before(async t => {
  t.context = await openScene();
});
test.after.always(t => t.context[Symbol.asyncDispose]());

const envelope = (machineId: string, body: object, reportId: string = randomUUID()) =>
  JSON.stringify({reportId, machineId, ...body});
const goodHello = {hello: {bootId: 'boot-1', agentVersion: '1'}};

/** Sends a good report of A and waits until the server has committed it: whatever A sent before has been dealt with, too. */
async function settle({a}: Scene, kind: 'hello' | 'metrics' = 'hello'): Promise<void> {
  const reportId = randomUUID();
  const received = a.nats.subscribe(subjects.command(a.machineId, 'received'));
  await a.nats.flush();
  const body =
    kind === 'hello'
      ? goodHello
      : {metrics: {session: randomUUID(), firstSequence: '1', samples: [{}]}};
  a.nats.publish(subjects.agentReport(a.machineId, kind), envelope(a.machineId, body, reportId));
  await until(
    `the receipt of a good ${kind}`,
    async () => {
      for await (const message of received) if (message.string().includes(reportId)) return true;
      return false;
    },
    60_000,
  ).finally(() => received.unsubscribe());
}

/** Messages in each stream, once EVENTS holds what the journal holds and nothing else. */
async function countAll({muster, manager}: Scene) {
  const count = async (name: string) => (await manager.streams.info(name)).state.messages;
  await until('the relay of the journal', async () => {
    const {events} = await muster.client(EventService).listEvents({after: 0n, pageSize: 1000});
    return events.length === (await count('EVENTS'));
  });
  const [jobs, reports, metrics] = await Promise.all(['JOBS', 'REPORTS', 'METRICS'].map(count));
  return {jobs, reports, metrics};
}

const findMachine = async (muster: Muster, id: string) =>
  (await muster.client(MachineService).getMachine({id})).machine;

const serverLog = ({folder}: Muster) => readFile(join(folder, 'log', 'server.log'), 'utf8');

async function refusedToPublish(t: ExecutionContext, {nats}: Agent, subject: string) {
  const before = nats.refusals.length;
  nats.publish(subject, 'x');
  await nats.flush();
  await until(`the refusal of ${subject}`, async () => nats.refusals.length > before);
  t.regex(nats.refusals.at(-1) ?? '', /permissions violation/i, subject);
}

async function refusedToSubscribe(t: ExecutionContext, {nats}: Agent, subject: string) {
  const refused = Promise.withResolvers<string>();
  nats.subscribe(subject, {
    callback: (error, message) => refused.resolve(error?.message ?? `heard ${message.subject}`),
  });
  await nats.flush();
  t.regex(await refused.promise, /permissions violation/i, subject);
}

test.serial('an agent reaches its own subjects only', async t => {
  const scene = t.context;
  const {a, b, heard} = scene;
  await settle(scene);
  const counts = await countAll(scene);

  for (const subject of [
    subjects.agentReport(b.machineId, 'hello'),
    subjects.agentReport(b.machineId, 'metrics'),
    subjects.command(b.machineId, 'reboot'),
    subjects.command(a.machineId, 'reboot'),
    `${subjects.inbox(b.machineId)}.x`,
    '_INBOX.x',
    subjects.buildJob,
    subjects.event('machine.enrolled'),
    '$JS.API.STREAM.NAMES',
    '$JS.API.STREAM.DELETE.EVENTS',
    '$JS.API.CONSUMER.MSG.NEXT.JOBS.builders',
    '$JS.ACK.JOBS.builders.1.1.1.1.0',
    '$SYS.REQ.SERVER.PING',
    '$SYS.REQ.CLAIMS.UPDATE',
  ])
    await refusedToPublish(t, a, subject);
  for (const subject of [
    '>',
    '*.>',
    'muster.>',
    '$JS.>',
    '$JS.API.>',
    '$SYS.>',
    '_INBOX.>',
    'muster.jobs.>',
    'muster.events.>',
    'muster.reports.>',
    'muster.commands.*.reboot',
    `muster.commands.${b.machineId}.>`,
    `${subjects.inbox(b.machineId)}.>`,
  ])
    await refusedToSubscribe(t, a, subject);

  t.deepEqual(heard, []);
  t.deepEqual(await countAll(scene), counts);
});

test.serial('a reply subject carries nothing to anybody', async t => {
  const scene = t.context;
  const {a, b, manager, heard} = scene;
  for (const {name} of [streams.REPORTS, streams.METRICS])
    t.true((await manager.streams.info(name)).config.no_ack, name);

  await settle(scene);
  await settle(scene, 'metrics');
  const before = await countAll(scene);
  const targets = [
    subjects.command(b.machineId, 'reboot'),
    `${subjects.inbox(b.machineId)}.x`,
    subjects.agentReport(b.machineId, 'hello'),
    subjects.buildJob,
    subjects.event('forged'),
    '$JS.API.STREAM.PURGE.EVENTS',
    '$JS.API.STREAM.MSG.DELETE.EVENTS',
    '$JS.API.STREAM.DELETE.JOBS',
    '$JS.API.STREAM.PURGE.REPORTS',
  ];
  // An error acknowledgement is a reply as well; a roll-up would empty the stream.
  const wrong = headers();
  wrong.set('Nats-Expected-Stream', 'NOPE');
  const rollUp = headers();
  rollUp.set('Nats-Rollup', 'all');
  for (const reply of targets)
    for (const kind of ['hello', 'metrics'] as const) {
      const subject = subjects.agentReport(a.machineId, kind);
      const body = kind === 'hello' ? goodHello : {metrics: {session: 's', samples: [{}]}};
      a.nats.publish(subject, envelope(a.machineId, body), {reply});
      a.nats.publish(subject, envelope(a.machineId, body), {reply, headers: wrong});
      a.nats.publish(`${subject}.nobody`, 'x', {reply});
    }
  a.nats.publish(subjects.agentReport(a.machineId, 'hello'), '{}', {headers: rollUp});
  await settle(scene);
  await settle(scene, 'metrics');

  const after = await countAll(scene);
  t.is(after.jobs, before.jobs);
  // Its own reports and the good one that settled: none was purged, none came in addition, and the roll-up was refused.
  t.is((after.reports ?? 0) - (before.reports ?? 0), targets.length + 1);
  t.is((after.metrics ?? 0) - (before.metrics ?? 0), targets.length + 1);
  for (const [stream, subject] of [
    ['REPORTS', subjects.agentReport(b.machineId, 'hello')],
    ['EVENTS', subjects.event('forged')],
  ] as const) {
    const info = await manager.streams.info(stream, {subjects_filter: subject});
    t.is(Object.keys(info.state.subjects ?? {}).length, 0, subject);
  }
  t.deepEqual(heard, []);
});

test.serial(
  'junk on its own subjects is dropped, counted and told; nobody else notices',
  async t => {
    const scene = t.context;
    const {muster, a, b, heard} = scene;
    const {pid} = muster.server;
    const hardware = muster.client(HardwareService);
    const reportId = randomUUID();
    const inventoryOfB = {inventory: {memory: {totalBytes: '1024'}}};
    b.nats.publish(
      subjects.agentReport(b.machineId, 'inventory'),
      envelope(b.machineId, inventoryOfB, reportId),
    );
    await until('the inventory of B', async () => {
      const rows = await muster.postgres.sql`
        select from machine_hardware where machine_id = ${b.machineId}
      `;
      return rows.length > 0 && heard.some(text => text.includes(reportId));
    });
    const before = await until('the presence of B', async () => {
      const machine = await findMachine(muster, b.machineId);
      return machine?.lastSeenTime && machine;
    });
    const junkBefore = await readMetric(
      muster.serverUrl,
      'muster_agent_reports_total{outcome="junk",kind="inventory"}',
    );
    heard.length = 0;

    const publish = (kind: 'hello' | 'inventory' | 'result' | 'metrics', text: string | Buffer) =>
      a.nats.publish(subjects.agentReport(a.machineId, kind), text);
    const inventory = (body: unknown) => envelope(a.machineId, {inventory: body});
    const many = Array.from({length: 100_000}, () => ({}));
    const junk: (string | Buffer)[] = [
      '',
      'null',
      '[]',
      '{"reportId":',
      Buffer.from([0xff, 0xfe, 0x00]),
      Buffer.alloc(900_000, 0x5b),
      `${'{"inventory":'.repeat(60_000)}1${'}'.repeat(60_000)}`,
      inventory({disks: many}),
      inventory({memory: {totalBytes: '99999999999999999999999999'}}),
      inventory({memory: {totalBytes: -1}}),
      inventory({cpus: 'none'}),
      inventory({system: {serial: 'half a surrogate \ud800'}}),
      inventory({cpus: [{threads: 1e300}]}),
      envelope(a.machineId, {inventory: {}, hello: {}}),
      envelope(a.machineId, goodHello),
      envelope(a.machineId, {}),
      envelope(a.machineId, {wipe: {}}),
      envelope(b.machineId, {inventory: {}}),
      envelope(a.machineId, {inventory: {}}, 'no-uuid'),
      envelope('not-a-machine', {inventory: {}}),
    ];
    for (const text of junk) publish('inventory', text);
    // Odd, but no junk: it must neither be refused by PostgreSQL nor stop what follows.
    publish(
      'inventory',
      inventory({system: {serial: 'NUL \u0000 inside'}, x: 'x'.repeat(900_000)}),
    );
    publish('inventory', envelope(a.machineId, {inventory: {}}, reportId));
    publish('result', envelope(a.machineId, {result: {commandId: reportId, succeeded: true}}));
    publish('result', envelope(a.machineId, {result: {commandId: '\u0000'}}));
    publish('metrics', envelope(b.machineId, {metrics: {session: 's', samples: [{}]}}));
    publish('metrics', envelope(a.machineId, {metrics: {session: '\u0000', samples: many}}));
    publish('metrics', Buffer.alloc(900_000));
    a.nats.publish(`muster.reports.agent.${a.machineId}.unknown`, '{}');
    await settle(scene);
    await settle(scene, 'metrics');
    const junkSince = async () => {
      const line = 'muster_agent_reports_total{outcome="junk",kind="inventory"}';
      return (await readMetric(muster.serverUrl, line)) - junkBefore;
    };
    // What nobody can tell from its envelope is known when it is read, after its receipt.
    await until('everything that was received to be read', async () => {
      const waiting = await muster.postgres.sql`select from hardware_intake`;
      return waiting.length === 0 && (await junkSince()) >= junk.length;
    });
    t.is(await junkSince(), junk.length);
    t.true(
      (await readMetric(
        muster.serverUrl,
        'muster_agent_reports_total{outcome="junk",kind="metrics"}',
      )) >= 2,
    );
    const log = await serverLog(muster);
    t.regex(log, /report dropped/);
    t.regex(log, /names another machine than its subject/);
    t.notRegex(
      log,
      /unhandled|uncaught|report not committed|inventory not taken in|metrics given up/i,
    );

    t.deepEqual(await findMachine(muster, b.machineId), before);
    t.is(
      (await hardware.getHardware({machineId: b.machineId})).hardware?.memory?.totalBytes,
      1024n,
    );
    t.deepEqual(heard, []);
    t.is(muster.server.pid, pid);
    t.true(muster.server.alive());
  },
);

test.serial('a report that comes again is done once, and receipted each time', async t => {
  const scene = t.context;
  const {muster, a, b, heard} = scene;
  const reportId = randomUUID();
  const line = (outcome: string) => `muster_agent_reports_total{outcome="${outcome}",kind="hello"}`;
  const [committed, repeated] = await Promise.all(
    ['committed', 'repeated'].map(outcome => readMetric(muster.serverUrl, line(outcome))),
  );
  heard.length = 0;
  for (let count = 0; count < 3; count++)
    a.nats.publish(
      subjects.agentReport(a.machineId, 'hello'),
      envelope(a.machineId, goodHello, reportId),
    );
  await until('the repetitions', async () => {
    return (await readMetric(muster.serverUrl, line('repeated'))) === (repeated ?? 0) + 2;
  });
  // The same id of another machine is another report, whatever the bus thinks of message ids.
  const claimed = headers();
  claimed.set('Nats-Msg-Id', reportId);
  a.nats.publish(subjects.agentReport(a.machineId, 'hello'), '{}', {headers: claimed});
  b.nats.publish(
    subjects.agentReport(b.machineId, 'hello'),
    envelope(b.machineId, goodHello, reportId),
  );
  await until('the receipt of B', async () => heard.some(text => text.includes(reportId)));
  t.is(await readMetric(muster.serverUrl, line('committed')), (committed ?? 0) + 2);
});
