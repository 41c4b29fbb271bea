import {randomUUID} from 'node:crypto';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {
  addImage,
  type ServerMachines,
  startAnswers,
  wireMachines,
} from '../../test/helpers/server-machines.ts';
import type {Database} from '../store/db.ts';
import {
  insertMachine,
  type MachineChange,
  type MachineState,
  updateMachine,
} from '../store/machines.ts';
import type {BookMessage} from './boot-answers.ts';

const postgres = postgresOf(test);

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await postgres.createDatabase());
  const {sql} = database;
  const server = await wireMachines(sql);
  const start = () => startAnswers(server);
  const answers = stack.use(await start());
  const owned = stack.move();
  return {sql, server, answers, start, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

async function add(sql: Database, state: MachineState, fields: MachineChange): Promise<string> {
  const id = randomUUID();
  const time = new Date();
  await insertMachine(sql, {
    trust: 'token',
    ...fields,
    id,
    state,
    stateTime: time,
    createTime: time,
    updateTime: time,
  });
  return id;
}

/** Reads whole steps; `next()` gives what one step said. */
function follow(
  answers: {watch: (seen: bigint, signal: AbortSignal) => AsyncIterable<BookMessage>},
  seen = 0n,
) {
  const stop = new AbortController();
  const messages = answers.watch(seen, stop.signal)[Symbol.asyncIterator]();
  return {
    async next() {
      const step: BookMessage[] = [];
      for (;;) {
        const {value, done} = await messages.next();
        if (done) throw new Error('The stream has ended');
        step.push(value);
        if (value.complete) break;
      }
      const last = step.at(-1);
      const all = step.flatMap(message => message.answers);
      return {
        reset: step[0]?.reset,
        revision: last?.revision ?? 0n,
        answers: all,
        removed: step.flatMap(message => message.removedMachineIds),
        decisions: Object.fromEntries(
          all.map(({machineId, decision}) => [machineId, decision.imageId ?? decision.action]),
        ),
        images: step[0]?.images,
        settings: step[0]?.settings,
      };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await messages.return?.(undefined);
    },
  };
}

const ready = async (server: ServerMachines, machineId: string, imageId: string) =>
  server.sql.begin(tx => server.transitions.imageReady(tx, {machineId, imageId, actor: 'system'}));

test('a snapshot first, then each change with the images that it names', async t => {
  await using app = await setUp();
  const {sql, server, answers} = app;
  const mac = '52:54:00:aa:00:01';
  const id = await add(sql, 'enrolled', {macAddresses: [mac], serviceTag: 'abc1234', uuid: 'junk'});
  await using reader = follow(answers);
  t.like(await reader.next(), {
    reset: true,
    answers: [],
    settings: {enrollUrl: 'http://{edge_host}:8080', unknown: {action: 'retry'}},
  });

  const image = await addImage(sql, {});
  await ready(server, id, image.id);
  let change = await reader.next();
  while (change.decisions[id] !== image.id) change = await reader.next();
  t.deepEqual(change.answers, [
    {
      machineId: id,
      macAddresses: [mac],
      uuid: '',
      serial: 'ABC1234',
      decision: {
        action: 'image',
        imageId: image.id,
        reason: 'It is ready: this is its desired image',
      },
      ask: false,
    },
  ]);
  t.deepEqual(
    change.images?.images.map(({id}) => id),
    [image.id],
  );
});

test('a removed machine is told of, also to those who were away, and its keys are free for others', async t => {
  await using app = await setUp();
  const {sql, server, answers, start} = app;
  const mac = '52:54:00:aa:00:01';
  const older = await add(sql, 'rejected', {macAddresses: [mac]});
  answers.refresh();
  await using reader = follow(answers);
  let step = await reader.next();
  if (step.answers.length === 0) step = await reader.next();
  t.deepEqual(step.answers[0]?.macAddresses, [mac]);
  const seen = step.revision;

  const twin = await add(sql, 'rejected', {macAddresses: [mac]});
  answers.refresh();
  step = await reader.next();
  t.deepEqual(step.answers.find(({machineId}) => machineId === twin)?.macAddresses, []);
  await server.removal.remove('user:alice', older);
  step = await reader.next();
  t.deepEqual(step.removed, [older]);
  t.deepEqual(
    step.answers.map(({machineId, macAddresses}) => [machineId, macAddresses]),
    [[twin, [mac]]],
  );
  await using late = follow(answers, seen);
  t.like(await late.next(), {reset: false, removed: [older]});

  await using restarted = await start();
  await using elsewhere = follow(restarted, seen);
  t.like(await elsewhere.next(), {reset: false, removed: [older]}, 'by another server, too');
  await using fresh = follow(restarted);
  t.like(await fresh.next(), {reset: true, removed: [], answers: {length: 1}});
});

test('the first registration image changes the answer of everybody who waits for one', async t => {
  await using app = await setUp();
  const {sql, answers} = app;
  const id = await add(sql, 'enrolled', {macAddresses: ['52:54:00:aa:00:01']});
  answers.refresh();
  await using reader = follow(answers);
  let step = await reader.next();
  if (step.answers.length === 0) step = await reader.next();
  t.is(step.decisions[id], 'retry');

  const {id: registration} = await addImage(sql, {kind: 'registration', variant: 'full'});
  answers.refresh();
  const change = await reader.next();
  t.is(change.decisions[id], 'registration');
  t.like(change.images, {full: registration, virtual: undefined});
  t.is(change.settings?.unknown.action, 'registration');
});

test.serial(
  'an edge that was killed before it heard of the first registration image hears of it afterwards',
  async t => {
    await using app = await setUp();
    const {sql, answers} = app;
    const id = await add(sql, 'enrolled', {macAddresses: ['52:54:00:aa:00:01']});
    answers.refresh();
    await using reader = follow(answers);
    let step = await reader.next();
    if (step.answers.length === 0) step = await reader.next();
    const {revision} = step;

    // No machine changes with it.
    await addImage(sql, {kind: 'registration', variant: 'virtual'});
    answers.refresh();
    t.is((await reader.next()).decisions[id], 'registration');
    await using again = follow(answers, revision);
    t.is((await again.next()).decisions[id], 'registration');
  },
);

test('a key that names two machines names none; a doubtful machine takes none away', async t => {
  await using app = await setUp();
  const {sql, start} = app;
  const shared = {uuid: '4c4c4544-0042-3510-8051-b7c04f4d3133', serviceTag: 'ABC1234'};
  const a = await add(sql, 'enrolled', {...shared, macAddresses: ['3c:ec:ef:00:00:0a']});
  const doubted = await add(sql, 'pending', {
    ...shared,
    macAddresses: ['3c:ec:ef:00:00:0a'],
    quarantineReason: 'a tie',
  });
  const b = await add(sql, 'enrolled', {
    uuid: shared.uuid,
    macAddresses: ['3c:ec:ef:00:00:0b', 'be:3a:f2:b6:05:9f'],
  });
  await using answers = await start();
  await using reader = follow(answers);
  const keys = Object.fromEntries(
    (await reader.next()).answers.map(({machineId, macAddresses, uuid, serial}) => [
      machineId,
      [...macAddresses, uuid, serial],
    ]),
  );
  t.deepEqual(keys, {
    [a]: ['3c:ec:ef:00:00:0a', '', 'ABC1234'],
    [b]: ['3c:ec:ef:00:00:0b', '', ''],
    [doubted]: ['', ''],
  });
});

test('a reader goes on from its revision, at another server too', async t => {
  await using app = await setUp();
  const {sql, server, answers, start} = app;
  const two = await add(sql, 'enrolled', {});
  await using other = await start();
  await using first = follow(other);
  const {revision} = await first.next();

  const image = await addImage(sql, {});
  await ready(server, two, image.id);
  await using waiting = follow(answers);
  for (let step = await waiting.next(); !step.images?.images.length;) step = await waiting.next();
  await using resumed = follow(answers, revision);
  const step = await resumed.next();
  t.false(step.reset);
  t.is(step.decisions[two], image.id);
  t.deepEqual(
    step.images?.images.map(({id}) => id),
    [image.id],
  );
});

test('transactions that commit in reverse order are both seen', async t => {
  await using app = await setUp();
  const {sql, answers} = app;
  const [slow, fast] = [await add(sql, 'enrolled', {}), await add(sql, 'enrolled', {})];
  answers.refresh();
  await using reader = follow(answers);
  const seen = new Map<string, string>();
  const readUntil = async (id: string, decision: string) => {
    while (seen.get(id) !== decision)
      for (const entry of Object.entries((await reader.next()).decisions)) seen.set(...entry);
  };
  await readUntil(slow, 'retry');
  await readUntil(fast, 'retry');

  const change = {state: 'rejected'} as const;
  await sql.begin(async tx => {
    await updateMachine(tx, slow, change);
    await sql.begin(inner => updateMachine(inner, fast, change));
    answers.refresh();
    await readUntil(fast, 'local_disk');
    t.is(seen.get(slow), 'retry');
  });
  answers.refresh();
  await readUntil(slow, 'local_disk');
});

test('a revision that this server cannot judge gets a snapshot', async t => {
  await using app = await setUp();
  await using reader = follow(app.answers, 2n ** 60n);
  t.true((await reader.next()).reset);
});

test('an override is in no answer, but the machine is marked', async t => {
  await using app = await setUp();
  const {sql, server, start} = app;
  const id = await add(sql, 'active', {desiredImageId: 'i1'});
  await server.boot.setOverride('user:eve', id, {
    action: 'local_disk',
    imageId: '',
    persistent: false,
  });
  await using answers = await start();
  await using reader = follow(answers);
  t.like((await reader.next()).answers[0], {ask: true, decision: {action: 'image', imageId: 'i1'}});
});
