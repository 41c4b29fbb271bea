import {randomUUID} from 'node:crypto';
import {uuidv7} from '@muster/runtime/ids.ts';
import test from 'ava';
import {countStatements} from '../../test/helpers/counted-statements.ts';
import {startPostgres, type TestPostgres} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import {type AuditedCall, runInCall} from '../audited-call.ts';
import type {ForeignMachine} from './import-rules.ts';
import {createImports} from './imports.ts';
import {createMetrics} from './metrics.ts';

let postgres: TestPostgres;
test.before(async () => {
  postgres = await startPostgres();
});
test.after.always(() => postgres[Symbol.asyncDispose]());

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await postgres.createDatabase());
  const counted = stack.use(countStatements(database.sql));
  const {sql} = counted;
  const site = await wireMachines(sql);
  const deps = {sql, now: () => site.clock.now, newId: uuidv7};
  const retention = {samplesDays: 7, minutesDays: 30, hoursDays: 100};
  const metrics = createMetrics({...deps, retention});
  const imports = createImports({...deps, ...site, metrics, retentionDays: 7});
  const owned = stack.move();
  return {
    ...site,
    counted,
    bring: (records: readonly ForeignMachine[], dryRun = false) =>
      imports.machines({actor: 'user:olga', source: 'other', dryRun}, records),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const record = (originId: string, part: Partial<ForeignMachine>): ForeignMachine => ({
  originId,
  serviceTag: '',
  macAddresses: [],
  hostname: '',
  description: '',
  nixosConfig: '',
  labels: {},
  manufacturer: '',
  product: '',
  diskSerials: [],
  hardware: {},
  createTime: undefined,
  ...part,
});

const hex = (number: number) => number.toString(16).padStart(2, '0');
const macOf = (number: number) => `3c:ec:ef:00:${hex(number >> 8)}:${hex(number & 255)}`;
const fifty = (tick: string) =>
  Array.from({length: 50}, (_, n) =>
    record(`m${n}`, {serviceTag: `BOX${n}Q7`, macAddresses: [macOf(n)], labels: {tick}}),
  );
const alone = (tick: string) =>
  record('alone', {serviceTag: 'ALONE77', macAddresses: [macOf(999)], labels: {tick}});

test('fifty records ask PostgreSQL no more often than one: new, changed, the same', async t => {
  await using site = await setUp();
  const {during} = site.counted;
  for (const [tick, result, dryRun] of [
    ['1', 'created', true],
    ['1', 'created', false],
    ['2', 'updated', false],
    ['2', 'unchanged', false],
  ] as const) {
    const one = await during(() => site.bring([alone(tick)], dryRun));
    const all = await during(() => site.bring(fifty(tick), dryRun));
    for (const outcome of [...one.answer, ...all.answer]) t.is(outcome.result, result);
    t.is(all.answer.length, 50);
    t.is(all.statements.length, one.statements.length, all.statements.join('\n'));
  }
  const changed = await site.sql`select 1 from machines where labels ->> 'tick' = '2'`;
  t.is(changed.length, 51);
});

test('a record finds what the ones before it in the same call left', async t => {
  await using site = await setUp();
  const many = (prefix: string) =>
    Object.fromEntries(Array.from({length: 40}, (_, n) => [`${prefix}${n}`, '1']));
  const {id} = await site.machines.create('user:olga', {
    serviceTag: 'HERE77',
    uuid: '',
    macAddresses: [],
    change: {labels: many('a')},
  });
  const outcomes = await site.bring([
    record('m1', {serviceTag: 'BOXA77', macAddresses: [macOf(1)], hostname: 'web1'}),
    record('m1', {serviceTag: 'BOXA77', hostname: 'web2', description: 'twice'}),
    record('m2', {serviceTag: 'BOXB77', macAddresses: [macOf(1), macOf(2)]}),
    record('m3', {macAddresses: [macOf(2)]}),
    record('h1', {serviceTag: 'HERE77', labels: many('b')}),
    record('h2', {serviceTag: 'HERE77', description: 'second'}),
    record('h3', {serviceTag: 'HERE77'}),
  ]);
  const [first, , second] = outcomes;
  t.deepEqual(
    outcomes.map(({result, reason, losses}) => [result, reason, ...losses]),
    [
      ['created', ''],
      ['updated', ''],
      ['created', '', `MAC address "${macOf(1)}" belongs to machine "${first?.id}"`],
      ['skipped', `It cannot be told from "m2", which became machine "${second?.id}"`],
      ['skipped', 'Cannot keep 80 labels on a machine: at most 64; remove some'],
      ['updated', 'It is here already, as expected'],
      ['skipped', `It cannot be told from "h2", which became machine "${id}"`],
    ],
  );
  t.like(await site.machines.get('BOXA77'), {
    id: first?.id,
    hostname: 'web2',
    description: 'twice',
    macAddresses: [macOf(1)],
  });
  t.like(await site.machines.get('HERE77'), {id, description: 'second', labels: many('a')});
});

/** As the door opens it. */
const callOf = (method: string): AuditedCall => ({
  id: randomUUID(),
  caller: () => 'user:mia',
  address: () => '10.0.0.1',
  scope: () => 'everywhere',
  method,
  request: () => '{"lines":"all of them"}',
  elapsedMs: () => 1,
  ended: false,
  told: new WeakSet(),
});

test('journal and audit tell each machine in the order of the lines, and what was asked for once', async t => {
  await using site = await setUp();
  const group = {description: '', tags: [], filter: '', priority: 0, templates: []};
  await site.groups.create('user:olga', {...group, name: 'lab', bootProfile: undefined});
  const rows = Array.from({length: 300}, (_, n) => ({
    line: n + 2,
    machine: {serviceTag: `BOX${n}Q7`, uuid: '', macAddresses: [macOf(n)], change: {}},
    groups: n === 1 ? ['LAB'] : [],
  }));
  const double = {...rows[0], line: 900, machine: {...rows[0]?.machine, serviceTag: 'BOX5Q7'}};
  const call = callOf('DiscoveryService.ImportExpectedMachines');
  const how = {found: [], partial: true, dryRun: false};
  const report = await runInCall(call, () =>
    site.machineImports.run('user:olga', [...rows, double as (typeof rows)[number]], how),
  );
  t.is(report.machineIds.length, 300);
  t.deepEqual(
    report.problems.map(({line}) => line),
    [900],
    'a step of lines finds what the one before left',
  );
  const [first, second, ...rest] = report.machineIds;
  const told = [
    ['machine.expected', first],
    ['machine.expected', second],
    ['group.machine_added', second],
    ...rest.map(id => ['machine.expected', id]),
  ];
  const events = await site.sql`
    select id, type, machine_id, actor from events where machine_id is not null order by sequence
  `;
  t.deepEqual(
    events.map(event => [event.type, event.machineId]),
    told,
  );
  const entries = await site.sql`
    select id, call_id, actor, action, resource, request
    from audit_entries where call_id = ${call.id} order by sequence
  `;
  t.deepEqual(
    entries.map(({id}) => id),
    events.map(({id}) => id),
  );
  t.like(entries[0], {
    actor: 'user:mia',
    action: 'machine.expected',
    resource: `machines/${first}`,
  });
  t.deepEqual(entries[0]?.request, {lines: 'all of them'});
  t.true(entries.slice(1).every(({request}) => request === null));
  t.is(call.lastChangeId, events.at(-1)?.id);
});

test('250 expected machines ask PostgreSQL no more often than one', async t => {
  await using site = await setUp();
  const {during} = site.counted;
  const rows = (count: number, tag: string) =>
    Array.from({length: count}, (_, n) => ({
      line: n + 2,
      machine: {serviceTag: `${tag}${n}Q7`, uuid: '', macAddresses: [], change: {}},
      groups: [],
    }));
  const run = (count: number, tag: string, dryRun: boolean) =>
    site.machineImports.run('user:olga', rows(count, tag), {found: [], partial: false, dryRun});
  for (const dryRun of [true, false]) {
    const one = await during(() => run(1, 'ONE', dryRun));
    const all = await during(() => run(250, 'MANY', dryRun));
    t.is(all.answer.goodCount, 250);
    t.is(all.statements.length, one.statements.length, all.statements.join('\n'));
  }
});
