import {randomUUID} from 'node:crypto';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampDate} from '@bufbuild/protobuf/wkt';
import {createClient} from '@connectrpc/connect';
import {
  BootAction,
  BootService,
  BootSession_State as State,
  type ListBootSessionsRequestSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {serve} from '../../test/helpers/one-port.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {addImage, wireMachines} from '../../test/helpers/server-machines.ts';
import {type AuditedCall, runInCall} from '../audited-call.ts';
import {startBootAnswers} from '../domain/boot-answers.ts';
import type {Sql} from '../store/db.ts';
import {insertMachine, type MachineState} from '../store/machines.ts';
import {insertWorkspace} from '../store/workspaces.ts';
import {bootService} from './boot.ts';

const postgres = postgresOf(test);

const facts = {policy: 'open', enrollUrl: '', natsServers: [], siteCa: ''} as const;

/** The real stack on a socket. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const server = await wireMachines(sql);
  const listen = () => Promise.resolve({[Symbol.asyncDispose]: () => Promise.resolve()});
  const {images, boot, bootSessions: sessions, timeline, bootLists: lists} = server;
  const answers = stack.use(await startBootAnswers({sql, images, facts, listen, log}));
  const service = bootService({answers, boot, sessions, timeline, lists});
  const app = stack.use(await serve({routes: router => void router.service(BootService, service)}));
  const owned = stack.move();
  return {
    sql,
    server,
    url: app.url,
    viewer: createClient(BootService, app.transport('viewer')),
    operator: createClient(BootService, app.transport('operator')),
    edge: createClient(BootService, app.transport('edge')),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function addMachine(sql: Sql, state: MachineState = 'ready'): Promise<string> {
  const [id, now] = [randomUUID(), new Date()];
  await insertMachine(sql, {id, state, stateTime: now, createTime: now, updateTime: now});
  return id;
}

const images = ['a'.repeat(64), 'b'.repeat(64)];

/** 90 boots of two machines and of strangers, two at each time, with two images or none. */
async function addBoots(sql: Sql, machineIds: readonly string[], now: Date): Promise<void> {
  const states = ['open', 'stalled', 'completed'];
  const rows = Array.from({length: 90}, (_, n) => ({
    id: randomUUID(),
    edgeSession: `s${n}`,
    macAddress: `52:54:00:00:00:${n.toString(16).padStart(2, '0')}`,
    machineId: machineIds[n % 3] ?? null,
    state: states[n % 7 === 0 ? 0 : 1 + (n % 2)] ?? 'open',
    imageId: images[n % 5] ?? null,
    startTime: new Date(now.getTime() - Math.floor(n / 2) * 60_000),
    heardTime: now,
  }));
  await sql`insert into boot_sessions ${sql(rows)}`;
}

test('boots of all machines and of strangers are narrowed, and come newest first, page by page', async t => {
  await using app = await setUp();
  const machineIds = [await addMachine(app.sql), await addMachine(app.sql)];
  const now = app.server.clock.now;
  await addBoots(app.sql, machineIds, now);

  const read = async (query: MessageInitShape<typeof ListBootSessionsRequestSchema>) => {
    const found = [];
    let pageToken = '';
    let total;
    do {
      const asked = {...query, countTotal: pageToken === '', pageSize: 7, pageToken};
      const page = await app.viewer.listBootSessions(asked);
      found.push(...page.bootSessions);
      total ??= page.totalSize;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    t.is(total, found.length);
    return found;
  };
  const all = await read({});
  t.is(all.length, 90);
  t.is(new Set(all.map(({id}) => id)).size, 90);
  const timeOf = ({startTime}: (typeof all)[number]) =>
    startTime ? timestampDate(startTime).getTime() : 0;
  t.deepEqual(
    all.map(({id}) => id),
    all.toSorted((a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1)).map(({id}) => id),
  );
  t.like(all[0], {client: {macAddresses: {length: 1}}});

  const ten = new Date(now.getTime() - 10 * 60_000);
  const thirty = new Date(now.getTime() - 30 * 60_000);
  const since = thirty.toISOString();
  const everyState: State[] = [State.STALLED, State.OPEN, State.COMPLETED];
  for (const states of [[], [State.OPEN] as State[], everyState])
    for (const imageId of ['', ...images])
      for (const machineId of ['', ...machineIds])
        for (const span of [{}, {since}, {since: '30m', until: ten.toISOString()}]) {
          const wanted = all.filter(
            boot =>
              (states.length === 0 || states.includes(boot.state)) &&
              (imageId === '' || boot.imageId === imageId) &&
              (machineId === '' || boot.machineId === machineId) &&
              (!('since' in span) || timeOf(boot) >= thirty.getTime()) &&
              (!('until' in span) || timeOf(boot) < ten.getTime()),
          );
          const found = await read({states, imageId, machineId, ...span});
          t.deepEqual(
            found.map(({id}) => id),
            wanted.map(({id}) => id),
          );
        }
});

test('boots are listed by REST of all machines and of one, and what cannot be is refused', async t => {
  await using app = await setUp();
  const machineIds = [await addMachine(app.sql), await addMachine(app.sql)];
  await addBoots(app.sql, machineIds, app.server.clock.now);
  const get = async (path: string) => {
    const headers = {authorization: 'Bearer viewer'};
    return fetch(`${app.url}/api/v1/${path}`, {headers});
  };
  const states = async (path: string) =>
    new Set(((await (await get(path)).json()) as {state: string}[]).map(({state}) => state));
  t.deepEqual(await states('boot-sessions?states=open&page_size=100'), new Set(['open']));
  t.deepEqual(
    await states(`machines/${machineIds[0]}/boot-sessions?states=open&states=stalled`),
    new Set(['open', 'stalled']),
  );
  t.is((await get(`machines/${randomUUID()}/boot-sessions`)).status, 404);
  t.is((await get('boot-sessions?machine_id=x')).status, 400);
  for (const request of [{since: '2026-13-01T00:00:00Z'}, {until: '0000-01-01T00:00:00Z'}])
    await t.throwsAsync(app.viewer.listBootSessions(request), {message: /there is no such time/});
  await t.throwsAsync(app.viewer.listBootSessions({pageToken: randomUUID()}), {
    message: /\[invalid_argument\] Cannot read page token/,
  });
});

test('what people decided is listed with who and until when, while it holds', async t => {
  await using app = await setUp();
  const {clock} = app.server;
  const client = {macAddresses: ['3c:ec:ef:00:00:01'], session: 's1'};
  const first = (await app.edge.resolveBoot({client})).answer?.machineId ?? '';
  const second = await addMachine(app.sql);
  const image = await addImage(app.sql, {});
  const decide = {machineId: first, action: BootAction.LOCAL_DISK};
  await app.operator.setBootOverride({...decide, persistent: true});
  await app.operator.setBootOverride(decide);
  clock.now = new Date(clock.now.getTime() + 1000);
  await app.operator.setBootOverride({
    machineId: second,
    action: BootAction.IMAGE,
    imageId: image.id,
  });

  const {bootOverrides} = await app.viewer.listBootOverrides({});
  t.like(bootOverrides, {
    length: 3,
    0: {machineId: second, persistent: false, imageId: image.id, given: false},
    1: {machineId: first, persistent: true, action: BootAction.LOCAL_DISK, expireTime: undefined},
    2: {machineId: first, persistent: false, actor: 'user:operator'},
  });
  const [{expireTime} = {}] = bootOverrides;
  t.is(expireTime && timestampDate(expireTime).getTime(), clock.now.getTime() + 24 * 3_600_000);

  // One at a time, also where both of a machine are of one moment.
  const pages = [];
  let pageToken = '';
  do {
    const page = await app.viewer.listBootOverrides({pageSize: 1, pageToken});
    pages.push(...page.bootOverrides);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.deepEqual(pages, bootOverrides);
  const only = await app.viewer.listBootOverrides({machineId: first, persistent: true});
  t.deepEqual(only.bootOverrides, bootOverrides.slice(1, 2));

  await app.edge.resolveBoot({client});
  const once = async () => (await app.viewer.listBootOverrides({persistent: false})).bootOverrides;
  t.like(await once(), {length: 2, 0: {given: false}, 1: {given: true}});
  // Over, though nothing has looked at it since.
  clock.now = new Date(clock.now.getTime() + 11 * 60_000);
  t.like(await once(), {length: 1, 0: {machineId: second}});
  await app.operator.clearBootOverride({machineId: second});
  await app.operator.clearBootOverride({machineId: first, persistent: true});
  t.deepEqual((await app.viewer.listBootOverrides({})).bootOverrides, []);
  await t.throwsAsync(app.viewer.listBootOverrides({pageToken: 'x'}), {
    message: /\[invalid_argument\] Cannot read page token/,
  });
});

test('who decided for another workspace is not told', async t => {
  await using app = await setUp();
  const {sql, server} = app;
  const [workspaceId, machineId] = [randomUUID(), await addMachine(sql)];
  await app.operator.setBootOverride({machineId, action: BootAction.REGISTRATION});
  const [now, machinesMax] = [new Date(server.clock.now.getTime() + 1000), 0];
  const times = {createTime: now, updateTime: now};
  await insertWorkspace(sql, {id: workspaceId, name: 'w', description: '', machinesMax, ...times});
  await sql`update machines set workspace_id = ${workspaceId}, workspace_time = ${now}`;
  await app.operator.setBootOverride({machineId: await addMachine(sql), action: BootAction.RETRY});

  const query = {machineId: undefined, persistent: undefined, pageSize: 0, pageToken: ''};
  const {overrides} = await runInCall(callOf(workspaceId), () => server.bootLists.overrides(query));
  t.like(overrides, {length: 1, 0: {machineId, actor: ''}});
  server.clock.now = new Date(now.getTime() + 1000);
  await app.operator.setBootOverride({machineId, action: BootAction.RETRY});
  const later = await runInCall(callOf(workspaceId), () => server.bootLists.overrides(query));
  t.like(later.overrides, {length: 1, 0: {machineId, actor: 'user:operator'}});
});

test('what machines would boot is told of a page of those that meet a filter', async t => {
  await using app = await setUp();
  const {id: imageId} = await addImage(app.sql, {});
  const ids = [];
  for (const state of ['ready', 'rejected', 'maintenance', 'ready'] as const)
    ids.push(await addMachine(app.sql, state));
  const [ready, rejected, , overridden = ''] = ids;
  await app.sql`update machines set desired_image_id = ${imageId} where state = 'ready'`;
  await app.operator.setBootOverride({machineId: overridden, action: BootAction.LOCAL_DISK});

  const image = {action: BootAction.IMAGE, imageId};
  const {bootDecisions} = await app.viewer.listBootDecisions({});
  t.deepEqual(new Set(bootDecisions.map(({machineId}) => machineId)), new Set(ids));
  const of = new Map(bootDecisions.map(decision => [decision.machineId, decision]));
  t.like(of.get(ready ?? ''), {decision: image, standing: undefined});
  t.like(of.get(rejected ?? ''), {
    decision: {action: BootAction.LOCAL_DISK, reason: 'It is rejected'},
  });
  t.like(of.get(overridden), {decision: {action: BootAction.LOCAL_DISK}, standing: image});
  for (const machineId of ids) {
    const explained = await app.viewer.explainBoot({machine: machineId});
    t.deepEqual(of.get(machineId)?.decision, explained.decision);
  }

  const filter = 'state = READY';
  const first = await app.viewer.listBootDecisions({filter, pageSize: 1});
  const {nextPageToken: pageToken} = first;
  const second = await app.viewer.listBootDecisions({filter, pageSize: 1, pageToken});
  t.is(second.nextPageToken, '');
  const named = [...first.bootDecisions, ...second.bootDecisions].map(({machineId}) => machineId);
  t.deepEqual(new Set(named), new Set([ready, overridden]));
  await t.throwsAsync(app.viewer.listBootDecisions({filter: 'state ='}), {
    message: /\[invalid_argument\] Cannot use this filter/,
  });
});

const callOf = (workspaceId: string): AuditedCall => ({
  id: randomUUID(),
  caller: () => 'user:mia',
  address: () => '',
  scope: () => [workspaceId],
  method: 'BootService.ListBootOverrides',
  request: () => undefined,
  elapsedMs: () => 1,
  ended: false,
  told: new WeakSet(),
});
