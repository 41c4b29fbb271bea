import {createClient} from '@connectrpc/connect';
import {DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import test from 'ava';
import fc from 'fast-check';
import {enrolWith} from '../../test/helpers/first-inventory.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import {discoveryService} from './discovery.ts';
import {readMachineCsv} from './machine-csv.ts';
import {serveInMemory, viewOf} from '../../test/helpers/in-memory.ts';

const postgres = postgresOf(test);

async function setUp() {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql);
  const view = viewOf(server.clock);
  const transport = serveInMemory(({service}) =>
    service(DiscoveryService, discoveryService({...server, view})),
  );
  return {
    ...server,
    run: (csv: string, how: {partial?: boolean; dryRun?: boolean} = {}) =>
      createClient(DiscoveryService, transport).importExpectedMachines({csv, ...how}),
    count: async () => (await server.sql`select 1 from machines`).length,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const good = `\uFEFFserial,macs,hostname,groups,label.rack,labels,notes
ABC1234,3c:ec:ef:00:00:01 3C-EC-EF-00-00-02,web1,lab,r7,tier=x;odd=a=b,"says ""hello"", twice"

,3c:ec:ef:00:00:03,web2,,,,
`;

test('a file registers its machines with labels, groups and quotes', async t => {
  await using site = await setUp();
  const group = {description: '', tags: [], filter: '', priority: 0, templates: []};
  await site.groups.create('user:olga', {...group, name: 'lab', bootProfile: undefined});
  t.like(await site.run(good, {dryRun: true}), {goodCount: 2, applied: false, problems: []});
  t.is(await site.count(), 0);
  const report = await site.run(good);
  t.like(report, {rowCount: 2, goodCount: 2, applied: true, problems: []});
  const machine = await site.machines.get('abc1234');
  t.like(machine, {
    state: 'expected',
    hostname: 'web1',
    macAddresses: ['3c:ec:ef:00:00:01', '3c:ec:ef:00:00:02'],
    labels: {rack: 'r7', tier: 'x', odd: 'a=b'},
    notes: 'says "hello", twice',
  });
  t.deepEqual(
    (await site.groups.ofMachine(machine.id)).map(({name}) => name),
    ['lab'],
  );
});

test('every bad line is told with what to do, and nothing is registered unless asked', async t => {
  await using site = await setUp();
  const change = {};
  await site.machines.create('user:olga', {
    serviceTag: 'KNOWN77',
    uuid: '',
    macAddresses: [],
    change,
  });
  // The quote that is never closed takes no other line with it.
  const csv = [
    'serial,macs,hostname,groups',
    'FINE77,,web1,',
    'To be filled by O.E.M.,,web2,',
    ',not-a-mac,web3,',
    ',,web4,',
    'FINE77,,web5,',
    'SHORT77,',
    'HOST77,,under_score,',
    'KNOWN77,,web6,',
    'GROUP77,,web7,nowhere',
    'QUO"TE77,,web8,',
    '"OPEN77,,web8,',
    'LAST77,,web9,',
  ].join('\n');
  const report = await site.run(csv);
  t.deepEqual(
    report.problems.map(({line, column}) => [line, column]),
    [
      [3, 'serial'],
      [4, 'macs'],
      [5, ''],
      [6, ''],
      [7, ''],
      [8, 'hostname'],
      [9, ''],
      [10, ''],
      [11, ''],
      [12, ''],
    ],
  );
  t.true(report.problems.every(({problem, remedy}) => problem !== '' && remedy !== ''));
  t.regex(report.problems[3]?.problem ?? '', /"FINE77" stands on line 2 already/);
  t.regex(report.problems[6]?.problem ?? '', /it is machine/);
  t.regex(report.problems[7]?.problem ?? '', /Cannot find group "nowhere"/);
  t.like(report, {applied: false, goodCount: 2, machineIds: {length: 0}});
  t.is(await site.count(), 1);

  t.like(await site.run(csv, {partial: true}), {applied: true, machineIds: {length: 2}});
  t.is(await site.count(), 3);
  t.like(await site.machines.get('LAST77'), {hostname: 'web9'});
});

test('a thousand lines are one transaction, and enrolments beside it wait for it', async t => {
  await using site = await setUp();
  const lines = Array.from({length: 1000}, (_, n) => {
    const hex = n.toString(16).padStart(4, '0').replace(/(..)$/, ':$1');
    return `BOX${n}Q7,3c:ec:ef:01:${hex} 3c:ec:ef:02:${hex}`;
  });
  const running = site.run(['serial,macs', ...lines].join('\n'));
  const mac = '3c:ec:ef:01:03:e7';
  const enrolled = await enrolWith(site, {systemSerial: 'BOX999Q7', macAddresses: [mac]});
  const report = await running;
  t.like(report, {goodCount: 1000, applied: true, problems: []});
  // Whoever came first: never two records of one box.
  t.is(await site.count(), 1000);
  t.is((await site.machines.get('BOX999Q7')).id, enrolled.machineId);
});

test('headings that mean nothing are told before any line is read', async t => {
  await using site = await setUp();
  const problems = async (csv: string) =>
    (await site.run(csv)).problems.map(({line, column, problem}) => `${line} ${column} ${problem}`);
  t.deepEqual(await problems('serail,hostname\nA,b\n'), [
    '1 serail There is no such heading',
    '1  No column identifies a machine',
  ]);
  t.deepEqual(await problems('serial,serial\nA,b\n'), ['1 serial The heading stands there twice']);
  t.deepEqual(await problems('\n\n'), ['1  There is no line of headings']);
});

test('whatever a file holds, each line is a machine or a problem, and the numbers are right', t => {
  const cell = fc.oneof(
    fc.constantFrom('', 'ABC1234', '3c:ec:ef:00:00:01', 'web1', 'x=y', 'N/A', '"', 'a"b', '\r'),
    fc.string({maxLength: 12}),
  );
  const row = fc.array(cell, {minLength: 1, maxLength: 5}).map(cells => cells.join(','));
  fc.assert(
    fc.property(fc.array(row, {maxLength: 12}), rows => {
      const text = `serial,macs,hostname\n${rows.join('\n')}`;
      const lineCount = text.split(/\r\n|\r|\n/).length;
      const {rowCount, rows: read, problems} = readMachineCsv(text);
      t.true(read.length <= rowCount);
      for (const {line} of [...read, ...problems]) t.true(line >= 1 && line <= lineCount);
      const told = new Set(problems.map(({line}) => line));
      t.true(read.every(({line}) => !told.has(line)));
      return true;
    }),
    {numRuns: 300},
  );
});
