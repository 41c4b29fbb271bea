import {uuidv7} from '@muster/runtime/ids.ts';
import test from 'ava';
import {insertMachines} from '../../test/helpers/many-machines.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {createMachineSearch} from '../domain/machine-search.ts';
import type {Database} from './db.ts';
import {part} from './fragments.ts';
import {saveFacts} from './hardware.ts';
import {countMachines} from './machine-counts.ts';
import {machineColumns} from './machine-search.ts';
import {insertMachine, type MachineChange} from './machines.ts';

const postgres = postgresOf(test);

const now = new Date('2026-05-01T12:00:00Z');
const gib = 2 ** 30;

async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const search = createMachineSearch({
    sql,
    now: () => now,
    busStatus: () => ({connected: true, since: new Date(0)}),
  });
  const query = {
    filter: '',
    orderBy: '',
    states: [],
    pageSize: 100,
    pageToken: '',
    countTotal: false,
    exactTotal: false,
    skip: 0,
  };
  let serial = 0;
  return {
    sql,
    search,
    list: (part: Partial<typeof query>) => search.list({...query, ...part, columns: undefined}),
    /** The host names, in order. */
    async names(filter: string, orderBy = 'hostname'): Promise<string> {
      const page = await search.list({...query, filter, orderBy, columns: undefined});
      return page.machines.map(({hostname}) => hostname).join(' ');
    },
    async add(hostname: string, fields: MachineChange = {}): Promise<string> {
      serial += 1;
      const time = new Date(now.getTime() - 3_600_000 + serial * 1000);
      const times = {stateTime: time, createTime: time, updateTime: time};
      const id = uuidv7();
      await insertMachine(sql, {id, state: 'enrolled', hostname, ...times, ...fields});
      return id;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const setFacts = (sql: Database, machineId: string, facts: object, text = '') =>
  saveFacts(sql, {machineId, facts: JSON.stringify(facts), text, cpuModel: '', version: 1});

test('the columns that a search reads are those of the table', async t => {
  await using app = await setUp();
  const rows = await app.sql<{columnName: string}[]>`
    select column_name from information_schema.columns where table_name = 'machines'
  `;
  t.deepEqual(
    rows.map(({columnName}) => columnName).sort(),
    [...machineColumns, 'boot_xid'].sort(),
  );
});

test('each kind of field is compared as people expect', async t => {
  await using app = await setUp();
  const a = await app.add('alpha', {
    state: 'ready',
    trust: 'approved',
    serviceTag: 'ABC1234',
    manufacturer: 'Dell Inc.',
    product: 'PowerEdge R640',
    macAddress: '3c:ec:ef:00:00:0a',
    macAddresses: ['3c:ec:ef:00:00:0a', '3c:ec:ef:00:00:0b'],
    memoryBytes: 128 * gib,
    cpuThreads: 64,
    labels: {rack: 'r7', 'example.com/row_id': 'R1'},
    notes: '100% fine_',
    clockSkewMs: -500,
    templates: [{name: 'base', version: 0, parameters: {}}],
  });
  await app.add('beta', {state: 'failed', memoryBytes: 64 * gib, product: 'ProLiant', uuid: 'u-2'});
  await app.add('gamma', {labels: {rack: 'r8'}, desiredImageId: 'abc', stateTime: new Date(0)});
  await app.sql`insert into machine_presence values (${a}, ${now})`;

  for (const [filter, expected] of [
    ['', 'alpha beta gamma'],
    [`id = ${a}`, 'alpha'],
    [`id : ${a.slice(0, 20)}`, 'alpha'],
    ['state = ready', 'alpha'],
    ['state = (READY OR FAILED)', 'alpha beta'],
    ['state != READY', 'beta gamma'],
    ['NOT state = READY', 'beta gamma'],
    ['trust >= token', 'alpha'],
    ['trust < APPROVED', 'beta gamma'],
    ['service_tag = abc1234', 'alpha'],
    ['service_tag = ""', 'beta gamma'],
    ['service_tag:*', 'alpha'],
    ['product = power*', 'alpha'],
    ['product = "*R640"', 'alpha'],
    ['product : edge', 'alpha'],
    ['hostname > alpha', 'beta gamma'],
    ['notes : "100%"', 'alpha'],
    ['notes : "_"', 'alpha'],
    ['notes : "1%f"', ''],
    ['mac_addresses = 3C-EC-EF-00-00-0B', 'alpha'],
    ['mac_addresses = 3c:ec:ef:00:00:0b', 'alpha'],
    ['mac_addresses : "00:0b"', 'alpha'],
    ['-mac_addresses:*', 'beta gamma'],
    ['hardware.memory_bytes > 64G', 'alpha'],
    ['hardware.memory_bytes >= 64GiB', 'alpha beta'],
    ['hardware.memory_bytes = 1.5', ''],
    ['hardware.cpu_threads < 0.5', 'beta gamma'],
    ['clock_skew_ms < -100', 'alpha'],
    ['clock_skew_ms != -500', 'beta gamma'],
    ['NOT clock_skew_ms > 0', 'alpha beta gamma'],
    ['labels:rack', 'alpha gamma'],
    ['labels.rack = r7', 'alpha'],
    ['labels.rack = R7', ''],
    ['labels.rack != r7', 'beta gamma'],
    ['labels.rack = r*', 'alpha gamma'],
    ['labels.rack > r7', 'gamma'],
    ['labels."example.com/row_id" = R1', 'alpha'],
    ['labels:*', 'alpha gamma'],
    ['templates = base', 'alpha'],
    ['templates != base', 'beta gamma'],
    ['desired_image_id:*', 'gamma'],
    ['last_seen_time > -1h', 'alpha'],
    ['NOT last_seen_time > -1h', 'beta gamma'],
    ['last_seen_time:*', 'alpha'],
    ['create_time < 2026-05-01', ''],
    ['create_time > 2026-05-01T10:00:00Z', 'alpha beta gamma'],
    ['presence = ONLINE', 'alpha'],
    ['presence != online', 'beta gamma'],
    ['presence = unknown', ''],
    // Ready for 59 minutes is, failed for 59 minutes is not, enrolled since 1970 is.
    ['stuck = true', 'alpha gamma'],
    ['stuck = false', 'beta'],
    ['stuck:*', 'alpha gamma'],
  ] as const)
    t.is(await app.names(filter), expected, filter);
});

test('the whole inventory is searched', async t => {
  await using app = await setUp();
  const a = await app.add('alpha');
  const b = await app.add('beta');
  await app.add('gamma');
  await setFacts(app.sql, a, {
    firmware: {mode: 'uefi'},
    disks: [
      {model: 'samsung ssd 970 (2.0)', serial: 's1', size_bytes: 2e12, rotational: false},
      {model: 'hgst', serial: 'say "hi" \\', size_bytes: 8e12, rotational: true},
    ],
    cpus: [{flags: ['avx2', 'sse']}],
    memory: {dimms: [{serial: 'd1'}]},
  });
  await setFacts(app.sql, b, {disks: [{model: 'hgst', size_bytes: 1e12, rotational: true}]});
  for (const [filter, expected] of [
    ['hardware.disks.serial = S1', 'alpha'],
    [String.raw`hardware.disks.serial = "say \"hi\" \\"`, 'alpha'],
    [String.raw`hardware.disks.serial : "\"hi\" \\"`, 'alpha'],
    ['hardware.disks.model : "SSD 970 (2.0)"', 'alpha'],
    ['hardware.disks.model : "ssd.*"', ''],
    ['hardware.disks.model = hg*', 'alpha beta'],
    ['hardware.disks.model != hgst', 'gamma'],
    ['hardware.disks.size_bytes > 4TB', 'alpha'],
    ['hardware.disks.size_bytes = 1TB', 'beta'],
    ['hardware.disks.rotational = false', 'alpha'],
    ['hardware.disks.model:*', 'alpha beta'],
    ['hardware.cpus.flags = AVX2', 'alpha'],
    ['hardware.memory.dimms.serial = d1 OR hardware.disks.size_bytes = 1TB', 'alpha beta'],
    ['hardware.firmware.mode = UEFI', 'alpha'],
  ] as const)
    t.is(await app.names(filter), expected, filter);

  const facets = await app.search.facets({
    filter: '',
    fields: ['hardware.disks.model', 'state'],
    valuesMax: 1,
  });
  t.deepEqual(
    facets.map(facet => ({...facet, values: facet.values.map(value => ({...value}))})),
    [
      {field: 'hardware.disks.model', values: [{value: 'hgst', count: 2}], more: true},
      {field: 'state', values: [{value: 'enrolled', count: 3}], more: false},
    ],
  );
});

test('words are found in what people call a machine, and likely ones when none is', async t => {
  await using app = await setUp();
  const a = await app.add('alpha', {
    product: 'PowerEdge R640',
    serviceTag: '7XK2MQ2',
    macAddresses: ['3c:ec:ef:00:00:0a'],
    labels: {room: 'Cellar'},
  });
  await app.add('beta', {product: 'ProLiant DL360', notes: 'lent to Olga'});
  await setFacts(app.sql, a, {}, 's9-dimm-77');
  for (const [filter, expected, similar] of [
    ['poweredge', 'alpha', false],
    ['r64', 'alpha', false],
    ['XK2', 'alpha', false],
    ['3CECEF00000A', 'alpha', false],
    ['ec-ef-00', 'alpha', false],
    ['ec:ef:00', 'alpha', false],
    ['cellar', 'alpha', false],
    ['"lent to"', 'beta', false],
    ['lent state = ENROLLED', 'beta', false],
    ['s9-dimm', 'alpha', false],
    ['power*640', 'alpha', false],
    ['-poweredge', 'beta', false],
    ['powerdege', 'alpha', true],
    ['prolaint', 'beta', true],
    ['7XK2MQ3', 'alpha', true],
    ['zzzzzzzz', '', false],
  ] as const) {
    const page = await app.list({filter});
    t.is(page.machines.map(({hostname}) => hostname).join(' '), expected, filter);
    t.is(page.similar, similar, filter);
  }
  await app.sql`update machines set hostname = 'omega' where id = ${a}`;
  t.is(
    await app.names('omega s9-dimm'),
    'omega',
    'a change of the row keeps what the inventory said',
  );
});

test('pages follow each other in every order, whatever comes between', async t => {
  await using app = await setUp();
  for (let n = 0; n < 23; n += 1)
    await app.add(`Host-${n % 7}`, {
      memoryBytes: (n % 3) * gib,
      product: ['x', 'Y', ''][n % 3] ?? '',
      ...(n % 4 === 0 ? {clockSkewMs: n} : {}),
    });
  for (const orderBy of [
    '',
    'create_time desc',
    'hostname',
    'hostname desc',
    'hardware.memory_bytes, hostname desc',
    'product desc, hardware.memory_bytes desc',
    'clock_skew_ms desc, state, create_time',
    'last_seen_time',
    'id desc',
  ]) {
    const all = (await app.list({orderBy})).machines.map(({id}) => id);
    t.is(all.length, 23, orderBy);
    const paged: string[] = [];
    let pageToken = '';
    do {
      const page = await app.list({orderBy, pageSize: 4, pageToken});
      paged.push(...page.machines.map(({id}) => id));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    t.deepEqual(paged, all, orderBy);
  }
});

test('a page token belongs to its filter and order, and nothing else is one', async t => {
  await using app = await setUp();
  for (let n = 0; n < 3; n += 1) await app.add(`host-${n}`);
  const {nextPageToken: pageToken} = await app.list({orderBy: 'hostname', pageSize: 1});
  const {throwsAsync} = t;
  const belongs = {message: /belongs to another filter or order/};
  await throwsAsync(app.list({orderBy: 'hostname desc', pageToken}), belongs);
  await throwsAsync(app.list({orderBy: 'hostname', filter: 'host', pageToken}), belongs);
  const [digest] = JSON.parse(Buffer.from(pageToken, 'base64url').toString()) as string[];
  const forged = (...parts: unknown[]) =>
    Buffer.from(JSON.stringify([digest, ...parts])).toString('base64url');
  for (const junk of ['junk', '%', forged(), forged(0, 'a'), forged(0, 'a', 'b'), forged(0, 1, 2)])
    await throwsAsync(app.list({orderBy: 'hostname', pageToken: junk}), {
      message: /Cannot (read|use) .*page token/,
    });
});

test('the number of matches is told when it is asked for', async t => {
  await using app = await setUp();
  await app.add('one');
  t.is((await app.list({})).total, undefined);
  t.deepEqual((await app.list({countTotal: true})).total, {count: 1, estimated: false});
  await app.sql`
    insert into machines (id, state, state_time, create_time, update_time)
    select gen_random_uuid(), 'pending', now(), now(), now() from generate_series(1, 3000)
  `;
  await app.sql`analyze machines`;
  const {total} = await app.list({countTotal: true, filter: 'state = PENDING'});
  t.true(total?.estimated);
  t.true(Math.abs((total?.count ?? 0) - 3000) < 300, String(total?.count));
});

test('what a filter cannot mean is refused with its place', async t => {
  await using app = await setUp();
  for (const [filter, message] of [
    [
      'stat = READY',
      'Cannot use this filter: there is no field "stat"; there is "state", "state_reason", "state_time" (character 1 of 12)',
    ],
    [
      'x AND state = WRONG',
      /"WRONG" is no value of "state": it is one of EXPECTED, .*FAILED \(character 7 of 19\)/,
    ],
    ['state > READY', /"state" cannot be compared by >: use = : !=/],
    ['hardware.memory_bytes > big', /is compared with a number, which may have a unit/],
    ['hardware.disks.size_bytes > big', /is compared with a number/],
    ['create_time > x', /is compared with a time/],
    ['hardware.disks.rotational = 3', /true or false/],
    ['hostname < a*', /"hostname" takes no \* with </],
    ['group = nope', /there is no group "nope"/],
    ['labels = x', /"labels" cannot be compared by =: use :/],
  ] as const) {
    await t.throwsAsync(app.names(filter), {message}, filter);
  }
  for (const [orderBy, message] of [
    ['labels', /"labels" is no field that machines can be ordered by/],
    ['hostname up', /comes nothing, "asc" or "desc"/],
    ['hostname, hostname desc', /names a field twice/],
    ['id, state, uuid, product', /name at most 3 fields/],
  ] as const)
    await t.throwsAsync(app.names('', orderBy), {message}, orderBy);
  await t.throwsAsync(app.search.facets({filter: '', fields: ['uuidx'], valuesMax: 0}), {
    message: /Cannot count machines by "uuidx"/,
  });
});

test('a page begins after the rows that are passed over, in every order, and none begins after the last', async t => {
  await using app = await setUp();
  for (const [index, hostname] of ['a', 'b', 'c', 'd', 'e', 'f'].entries())
    await app.add(hostname, {memoryBytes: (index % 3) * gib});
  const names = async (query: Parameters<typeof app.list>[0]) =>
    (await app.list(query)).machines.map(({hostname}) => hostname).join('');

  for (const orderBy of ['', 'hostname', 'hostname desc', 'hardware.memory_bytes desc, hostname']) {
    const all = await names({orderBy});
    t.is(all.length, 6);
    for (let skip = 0; skip <= 7; skip += 1)
      t.is(
        await names({orderBy, skip, pageSize: 2}),
        all.slice(skip, skip + 2),
        `${orderBy} ${skip}`,
      );
  }
  const {nextPageToken: pageToken} = await app.list({orderBy: 'hostname', pageSize: 2});
  t.is(await names({orderBy: 'hostname', pageSize: 2, pageToken, skip: 3}), 'f');
  const last = await app.list({orderBy: 'hostname', pageSize: 2, skip: 4});
  t.is(last.nextPageToken, '');
});

test('a total is the estimate of the planner beyond a thousand, unless it shall be exact', async t => {
  await using app = await setUp();
  await insertMachines(app.sql, 1500);
  await app.sql`delete from machines where hostname like 'node-0001%'`;

  const {total: some} = await app.list({countTotal: true, filter: 'hostname = node-00000*'});
  t.deepEqual(some, {count: 9, estimated: false});
  const {total: about} = await app.list({countTotal: true});
  t.true(about?.estimated);
  const {total: exact} = await app.list({countTotal: true, exactTotal: true});
  t.deepEqual(exact, {count: 1400, estimated: false});
});

test('a total that cannot be counted in time is estimated', async t => {
  await using app = await setUp();
  await insertMachines(app.sql, 1500);
  const database = {sql: app.sql, shapes: new Set<string>(), timeoutMs: 500};
  const slowAtTheEnd = part`(hostname < 'node-001300' or pg_sleep(1) is not null)`;
  t.true((await countMachines(database, slowAtTheEnd, true)).estimated);
});
