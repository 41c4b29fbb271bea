import {readdirSync, readFileSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {Machine_State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {openDatabase} from '@muster/server/store/db.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {createProcessMachine} from '../helpers/process-machine.ts';
import {until} from '../helpers/processes.ts';
import {endOf, onHostOf, runCommand, startCommand} from '../helpers/command.ts';

const folder = new URL('metal-enrollment-database/', import.meta.url);
const password = 'c0rrect/horse@battery';

/** With `{day}` as yesterday: metrics are kept for some days only. */
const sqlOf = (name: string): string =>
  readFileSync(new URL(name, folder), 'utf8').replaceAll(
    '{day}',
    new Date(Date.now() - 86_400_000).toISOString().slice(0, 10),
  );

const start = (muster: Muster, args: readonly string[], env: Record<string, string> = {}) =>
  startCommand(['import', 'metal-enrollment', ...args], {...onHostOf(muster), ...env});

const move = (muster: Muster, args: readonly string[], env: Record<string, string> = {}) =>
  endOf(start(muster, args, env));

type Line = {readonly kind: string; readonly name: string; readonly result: string};
type Totals = Record<string, Record<string, number>>;

async function readReport(path: string) {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const all = lines.map(line => JSON.parse(line) as Line & {totals?: Totals});
  const told = all
    .filter(({kind}) => kind)
    .map(line => `${line.kind} ${line.name}: ${line.result}`);
  return {told, totals: all.at(-1)?.totals ?? {}};
}

function makeSqlite(muster: Muster): string {
  const path = join(muster.folder, 'metal.db');
  const database = new DatabaseSync(path);
  for (const name of ['tables.sqlite.sql', 'rows.sql', 'hostile.sqlite.sql'])
    database.exec(sqlOf(name));
  database.close();
  return path;
}

/** Beside Muster's own. The DSN is as its users have it, with a password. */
async function makePostgres(muster: Muster, name: string, files: readonly string[]) {
  await muster.postgres.sql.unsafe(`create database ${name}`);
  const url = muster.postgres.url.replace('/muster?', `/${name}?`);
  const sql = openDatabase(url);
  for (const file of files) await sql.unsafe(sqlOf(file)).simple();
  await sql.end();
  return url.replace('muster@', `muster:${encodeURIComponent(password)}@`);
}

let muster: Muster;
test.before(async () => {
  muster = await startMuster();
});
test.after.always(() => muster[Symbol.asyncDispose]());

const machine = async (id: string) =>
  (await muster.client(MachineService).getMachine({id})).machine;
const count = async () =>
  Number(
    (await muster.client(MachineService).listMachines({countTotal: true, pageSize: 1})).totalSize,
  );

/** Everything that an import may change. */
async function snapshot(): Promise<string> {
  const {sql} = muster.postgres;
  const tables = await Promise.all(
    [
      'machines',
      'groups',
      'group_members',
      'users',
      'imported_records',
      'metrics',
      'import_origins',
    ].map(name => sql`select md5(string_agg(t::text, '' order by t::text)) from ${sql(name)} t`),
  );
  const [events] = await sql`select count(*) as count from events where type not like 'audit%'`;
  return JSON.stringify([tables, events]);
}

test.serial('a dry run says what would come, and changes nothing', async t => {
  const path = makeSqlite(muster);
  const before = await snapshot();
  const {status, stdout, stderr} = await move(muster, [path, '--dry-run']);
  t.is(status, 1, stderr);
  t.regex(stdout, /^machine +10 +0 +0 +2 +\d+$/m, stdout);
  t.regex(stderr, /dry run: nothing was changed/);
  t.is(await snapshot(), before);
});

test.serial('everything that has a place comes over; the rest is told with its reason', async t => {
  const report = join(muster.folder, 'moved.jsonl');
  const {status, stdout, stderr} = await move(muster, [
    join(muster.folder, 'metal.db'),
    '--report',
    report,
  ]);
  t.is(status, 1, 'some did not come over');
  t.regex(stderr, /records did not come over, or not whole/);
  const {told, totals} = await readReport(report);
  t.deepEqual(told.filter(line => line.endsWith('skipped')).toSorted(), [
    'build : skipped',
    'build : skipped',
    'group ???: skipped',
    'machine CZ1234AI: skipped',
    'machine nobody: skipped',
    'user build bot: skipped',
  ]);
  t.like(totals, {
    user: {created: 4, skipped: 1, losses: 1},
    machine: {created: 10, skipped: 2},
    group: {created: 2, skipped: 1},
    build: {created: 2, skipped: 2},
    event: {created: 2},
    power: {created: 1},
    image_test: {created: 1},
    metrics: {created: 2, skipped: 0},
  });
  for (const sentence of [
    /machine nobody .*: skipped\. Nothing identifies it/,
    /machine db1 .*without: MAC address "24:6e:96:0a:00:02" belongs to machine/,
    /machine db_2; rm -rf \/ .*host name "db_2; rm -rf \/" is none/,
    /machine odd .*its hardware is no JSON object; its BMC entry is no JSON object/,
    /machine broken .*its hardware is no JSON object/,
    /group Datenbanken \/ Büro .*Its name was "Datenbanken \/ Büro".*without: its machine/,
    /user root2 .*role "superuser": it is viewer/,
    /Left behind: 1 user names and passwords of BMCs/,
    /Left behind: 1 API keys\./,
    /Left behind: 1 webhooks\./,
    /Left behind: 1 templates\./,
    /Left behind: 1 image tests without a machine/,
    /Left behind: 1 samples of metrics/,
  ])
    t.regex(stdout, sentence);
  const written = stdout + stderr + (await readFile(report, 'utf8'));
  for (const secret of ['HASH-OF', 'BMC-PASSWORD', 'WEBHOOK-SECRET'])
    t.false(written.includes(secret), secret);
});

test.serial('machines, groups, people and history are as they were there', async t => {
  const web1 = await machine('J7K2M13');
  t.like(web1, {
    state: Machine_State.EXPECTED,
    hostname: 'web1',
    description: 'Front',
    nixosConfig: '{ services.nginx.enable = true; }',
    macAddress: '24:6e:96:0a:00:01',
    macAddresses: ['24:6e:96:0a:00:01', '24:6e:96:0a:00:02'],
    manufacturer: 'Dell Inc.',
    product: 'PowerEdge R740',
    labels: {
      'metal-enrollment/status': 'provisioned',
      'metal-enrollment/bmc-address': '10.0.9.1',
    },
    hardware: {cpuThreads: 64, memoryBytes: 206_158_430_208n, diskCount: 2},
    createTime: {seconds: BigInt(Date.parse('2024-02-01T10:00:00Z') / 1000)},
  });
  t.is((await machine('VMware-56 4d 9f'))?.hostname, 'web2', 'as firmware says its serial');
  t.is((await machine('3c:ec:ef:0a:00:03'))?.serviceTag, 'To be filled by O.E.M.');
  t.like(await machine('CZ1234AD'), {hostname: 'odd', macAddress: '94:57:a5:0a:00:07'});
  t.like(await machine('CZ1234AG'), {hostname: 'blob', product: 'DL360'});
  t.like(await machine('CZ1234AF'), {
    createTime: {seconds: BigInt(Date.parse('2024-02-09T08:00:00Z') / 1000)},
  });

  const members = (await muster.client(GroupService).listGroupMachines({groupId: 'web-servers'}))
    .machines;
  t.deepEqual(members.map(({hostname}) => hostname).toSorted(), ['web1', 'web2']);

  const users = muster.client(UserService);
  t.like((await users.getUser({id: 'olga'})).user, {role: User_Role.OPERATOR, external: true});
  t.like((await users.getUser({id: 'viktor'})).user, {role: User_Role.VIEWER, disabled: true});
  const login = await fetch(`${muster.serverUrl}/api/v1/login`, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({username: 'olga', password: ''}),
  });
  t.true(login.status >= 400, 'nobody signs in before they have a password');

  const told = await muster.postgres.sql`
    select 1 from audit_entries where resource = ${`machines/${web1?.id}`} and actor = 'local'
      and method = 'ImportService.ImportMachines' and after->>'hostname' = 'web1'
  `;
  t.is(told.length, 1, 'it is in the audit');

  const machineId = web1?.id ?? '';
  const {metrics} = await muster.client(MetricsService).listMetrics({machineId, since: '3d'});
  t.like(metrics, {length: 2, 1: {cpuUsagePercent: 12.5, temperature: 45.5}});
  t.like(metrics[0], {cpuUsagePercent: undefined, memoryTotalBytes: undefined, uptime: 86_460});
  const history = await runCommand(['import', 'history', 'J7K2M13'], onHostOf(muster));
  t.deepEqual(
    history.stdout.match(/(?<= {2})(hardware|event|power|image_test|build) +\S.*?(?= {2})/g),
    [
      'event       status_changed',
      'hardware    Hardware as it was reported',
      'power       Power reset: success',
      'image_test  Image test boot: passed',
      'build       Build: success',
      'build       Build: failed',
      'event       enrolled',
    ],
    history.stdout + history.stderr,
  );
});

test.serial('running it again changes nothing, from PostgreSQL too', async t => {
  const before = await snapshot();
  const report = join(muster.folder, 'again.jsonl');
  await move(muster, [join(muster.folder, 'metal.db'), '--report', report]);
  t.is(await snapshot(), before);
  const sums = Object.values((await readReport(report)).totals);
  for (const {created, updated} of sums) t.like({created, updated}, {created: 0, updated: 0});

  // The same site, moved to the other database there: the keys are the same.
  const dsn = await makePostgres(muster, 'small', ['tables.postgres.sql', 'rows.sql']);
  const {stderr} = await move(muster, ['--report', report], {MUSTER_IMPORT_DSN: dsn});
  t.regex(stderr, /Reading PostgreSQL database "small"/);
  t.is(await snapshot(), before);
  t.like((await readReport(report)).totals, {
    machine: {unchanged: 7, created: 0, updated: 0},
    event: {unchanged: 2, created: 0},
    metrics: {unchanged: 2, created: 0},
  });
});

test.serial('a machine that was brought over is recognised at its first boot', async t => {
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const identity = {mac: '94:57:a5:0a:00:08', serial: 'CZ1234AE'};
  const booted = await createProcessMachine(muster, 'moved', identity);
  await booted.runScript(
    await until('a registration image', async () => {
      const text = await booted.fetchScript();
      return text.includes('/boot/token.cpio') && text;
    }),
  );
  const known = await until('its hello', async () => {
    const found = await machine('CZ1234AE');
    return found?.state === Machine_State.ENROLLED && found;
  });
  t.like(known, {hostname: 'odd2', labels: {'metal-enrollment/status': 'enrolled'}});
});

test.serial('the password of the DSN is in no output, no log and no list of processes', async t => {
  const dsn = `postgres://metal:${encodeURIComponent(password)}@127.0.0.1:1/metal`;
  const secrets = [password, encodeURIComponent(password)];
  const argument = await move(muster, [dsn]);
  t.is(argument.status, 2);
  t.regex(argument.stderr, /Cannot take a password as an argument/);

  const file = join(muster.folder, 'dsn');
  await writeFile(file, `${dsn}\n`);
  const unreachable = await move(muster, ['--dsn-file', file]);
  t.is(unreachable.status, 1);
  t.regex(
    unreachable.stderr,
    /Cannot read PostgreSQL database "metal" at 127\.0\.0\.1:1 as "metal"/,
  );
  const broken = await move(muster, [], {
    MUSTER_IMPORT_DSN: dsn.replace('%40', '%4').replace(':1/', ':x/'),
  });
  t.is(broken.status, 2);
  t.regex(broken.stderr, /Cannot read the DSN/);
  const none = await move(muster, []);
  t.is(none.status, 2);
  t.regex(none.stderr, /MUSTER_IMPORT_DSN/);

  const outputs = [argument, unreachable, broken].flatMap(({stdout, stderr}) => [stdout, stderr]);
  const logs = readdirSync(join(muster.folder, 'log')).map(name =>
    readFileSync(join(muster.folder, 'log', name), 'utf8'),
  );
  for (const text of [...outputs, ...logs])
    for (const secret of secrets) t.false(text.includes(secret), text);
});

test.serial('a database of something else, and a file that is none, are refused', async t => {
  const path = join(muster.folder, 'other.db');
  new DatabaseSync(path).exec('create table things (id text)');
  const other = await move(muster, [path]);
  t.is(other.status, 1);
  t.regex(other.stderr, /no table "machines"/);
  const missing = await move(muster, [join(muster.folder, 'nothing.db')]);
  t.is(missing.status, 1);
  t.regex(missing.stderr, /there is no such file/);
  await writeFile(path, 'this is no database, whatever its name says, and long enough');
  const junk = await move(muster, [path]);
  t.is(junk.status, 1);
  t.regex(junk.stderr, /Cannot read SQLite file/);
});

test.serial('an older version without half of the tables comes over', async t => {
  const path = join(muster.folder, 'old.db');
  const database = new DatabaseSync(path);
  database.exec(`
    create table machines (id text, service_tag text, mac_address text, status text, enrolled_at timestamp);
    insert into machines values ('old-1', 'OLD-0001', '94:57:a5:0b:00:01', 'enrolled', '2023-01-01 00:00:00');
  `);
  database.close();
  const {status, stderr} = await move(muster, [path, '--source', 'attic']);
  t.is(status, 0, stderr);
  t.like(await machine('OLD-0001'), {labels: {'metal-enrollment/status': 'enrolled'}});
});

test.serial('ten thousand rows come over, killed in the middle and run again', async t => {
  const files = ['tables.postgres.sql', 'rows.sql', 'ten-thousand-rows.postgres.sql'];
  const dsn = await makePostgres(muster, 'big', files);
  const before = await count();
  const {sql} = muster.postgres;
  const reach = (wanted: number) =>
    until(`${wanted} machines`, async () => {
      const [row] = await sql`select count(*)::int as count from machines`;
      return Number(row?.count) > wanted;
    });
  const first = start(muster, [], {MUSTER_IMPORT_DSN: dsn});
  await reach(before + 100);
  first.kill('SIGINT');
  const interrupted = await endOf(first);
  t.is(interrupted.status, 1, 'Ctrl-C');
  t.regex(interrupted.stderr, /Interrupted: what was brought over stays, run it again/);

  const child = start(muster, [], {MUSTER_IMPORT_DSN: dsn});
  await reach(before + 400);
  const commandLine = await readFile(`/proc/${child.pid}/cmdline`, 'utf8');
  t.false(commandLine.includes('horse'));
  child.kill('SIGKILL');
  await endOf(child);
  const report = join(muster.folder, 'big.jsonl');
  const again = await move(muster, ['--report', report], {MUSTER_IMPORT_DSN: dsn});
  t.is(again.status, 1, again.stderr);
  const {totals} = await readReport(report);
  const {created = 0, unchanged = 0} = totals.machine ?? {};
  t.true(created > 0 && created < 2100, 'it was killed in the middle');
  t.is(created + unchanged, 2507);
  t.like(totals, {
    machine: {skipped: 1},
    build: {created: 2500},
    event: {created: 5000},
    group: {created: 1},
  });
  const [row] = await sql`select count(*)::int as count from machines`;
  t.is(Number(row?.count), before + 2500, 'each once');
  const [member] = await sql`
    select count(*)::int as count from group_members join groups on id = group_id where name = 'fleet'
  `;
  t.is(Number(member?.count), 2500);
  const [shared] = await sql`
    select count(*)::int as count from machine_evidence where kind = 'mac' and value like '94:57:a6:%'
  `;
  t.is(Number(shared?.count), 2475, 'a MAC is one machine’s');
});
