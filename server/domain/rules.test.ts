import test from 'ava';
import fc from 'fast-check';
import {enrolWith, reportHardware} from '../../test/helpers/first-inventory.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import type {AcceptancePolicy} from './acceptance.ts';
import {DomainError} from '../errors.ts';
import {parseFilter} from '../filter/parser.ts';
import {isMet, leavesOf, textOf} from './rule-explanation.ts';
import type {RuleContent} from './rules.ts';

const postgres = postgresOf(test);

const blank: RuleContent = {
  name: '',
  description: '',
  priority: 0,
  disabled: false,
  condition: '',
  decision: 'none',
  group: '',
  labels: {},
  templates: [],
  bootProfile: undefined,
};

async function setUp(policy: AcceptancePolicy = 'open') {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql, {policy});
  let count = 0;
  return {
    ...server,
    rule: (name: string, part: Partial<RuleContent>) =>
      server.rules.create('user:olga', {...blank, ...part, name}),
    /** A machine that nobody knew, up to its first inventory. */
    async arrive(product = 'PowerEdge R640', memory = 64): Promise<string> {
      count += 1;
      const mac = `3c:ec:ef:00:00:${count.toString(16).padStart(2, '0')}`;
      const {machineId} = await enrolWith(server, {
        systemSerial: `SNX${count}A`,
        macAddresses: [mac],
        manufacturer: 'Dell Inc.',
        product,
      });
      await reportHardware(server, machineId, hardwareOf(memory));
      return machineId;
    },
    events: async (machineId: string) =>
      [
        ...(await server.sql<{type: string; actor: string; data: Record<string, unknown>}[]>`
          select type, actor, data from events where machine_id = ${machineId} order by sequence
        `),
      ].filter(({type}) => type.startsWith('machine.')),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const hardwareOf = (memoryGib: number) => ({
  memory: {totalBytes: String(memoryGib * 2 ** 30)},
  disks: [{name: 'sda', serial: `WD${memoryGib}X`, transport: 'nvme', sizeBytes: '1000'}],
});

test('rules wait for the first inventory, then accept, and give group, labels and a profile', async t => {
  await using site = await setUp('approve');
  const storage = await site.groups.create('user:olga', {
    name: 'storage',
    description: '',
    tags: [],
    filter: '',
    priority: 0,
    templates: [],
    bootProfile: undefined,
  });
  await site.rule('big', {
    condition: 'hardware.memory_bytes > 100G AND manufacturer:dell',
    decision: 'accept',
    group: 'storage',
    labels: {tier: 'big'},
    bootProfile: {
      kernelArguments: [],
      serialConsole: 'ttyS0,115200',
      packages: ['htop'],
      sshAuthorizedKeys: [],
    },
  });
  await site.rule('dell', {
    condition: 'manufacturer = "dell inc."',
    labels: {tier: 'x', vendor: 'dell'},
  });
  const small = await site.arrive();
  const big = await site.arrive('PowerEdge R740', 256);

  t.like(await site.machines.get(small), {
    state: 'pending',
    stateReason: 'It waits: no rule accepts it',
    labels: {tier: 'x', vendor: 'dell'},
  });
  t.like(await site.machines.get(big), {
    state: 'enrolled',
    stateReason: 'Rule "big" accepts it',
    labels: {tier: 'big', vendor: 'dell'},
  });
  t.deepEqual(
    (await site.groups.ofMachine(big)).map(({id}) => id),
    [storage.id],
  );
  const told = (await site.events(big)).filter(({actor}) => actor.startsWith('rule:'));
  t.deepEqual(
    told.map(({type, actor, data}) => [type, actor, data]),
    [
      [
        'machine.rule_applied',
        'rule:big',
        {
          rule: 'big',
          decision: 'accept',
          labels: {tier: 'big'},
          group: 'storage',
          bootProfile: {serialConsole: 'ttyS0,115200', packages: ['htop']},
        },
      ],
      ['machine.rule_applied', 'rule:dell', {rule: 'dell', labels: {vendor: 'dell'}}],
      ['machine.enrolled', 'rule:big', {from: 'pending', reason: 'Rule "big" accepts it'}],
    ],
  );
  const {values} = await site.configurations.effective(big);
  t.deepEqual(values, [
    {field: 'serial_console', value: 'ttyS0,115200', origin: 'rule big'},
    {field: 'packages', value: 'htop', origin: 'rule big'},
  ]);
});

test('an open site waits for rules that decide, and its policy has the last word', async t => {
  await using site = await setUp('open');
  const early = await site.arrive();
  t.is((await site.machines.get(early)).state, 'enrolled');
  await site.rule('lab', {condition: 'product:laptop', decision: 'reject', priority: 1});
  await site.rule('old', {condition: 'product:r640', decision: 'hold'});
  await site.rule('lab-too', {condition: 'product:laptop', decision: 'accept'});
  const [laptop, old, other] = [
    await site.arrive('Laptop 15'),
    await site.arrive(),
    await site.arrive('PowerEdge R740'),
  ];
  t.like(await site.machines.get(laptop), {
    state: 'rejected',
    stateReason: 'Rule "lab" rejects it',
  });
  t.deepEqual(
    (await site.events(laptop))
      .filter(({type}) => type === 'machine.rule_applied')
      .map(({data}) => data),
    [
      {rule: 'lab', decision: 'reject'},
      {rule: 'lab-too', decision: 'accept', overruledBy: 'lab'},
    ],
  );
  t.is(
    (await site.sql`select 1 from agent_keys where machine_id = ${laptop} and state = 'current'`)
      .length,
    0,
  );
  t.like(await site.machines.get(old), {state: 'pending', stateReason: 'Rule "old" holds it'});
  t.like(await site.machines.get(other), {
    state: 'enrolled',
    stateReason: 'No rule decides about it, and the policy lets it in',
  });
  t.is((await site.machines.get(early)).state, 'enrolled', 'rules decide nothing afterwards');

  // The next boot of the machine that is held lets it in no more than the first did.
  const {serviceTag, macAddresses} = await site.machines.get(old);
  const again = await enrolWith(site, {systemSerial: serviceTag, macAddresses});
  t.like(again, {machineId: old, state: 'pending'});
  await site.rules.delete('user:olga', 'old');
  const third = await enrolWith(site, {systemSerial: serviceTag, macAddresses});
  t.like(third, {machineId: old, state: 'enrolled'}, 'and without the rule it does');
});

test('a machine that is expected is let in by whoever expects it, and rules only give', async t => {
  await using site = await setUp('open');
  await site.rule('none', {decision: 'reject', labels: {seen: 'yes'}});
  const {id} = await site.machines.create('user:olga', {
    serviceTag: 'EXP777',
    uuid: '',
    macAddresses: [],
    change: {labels: {seen: 'no'}},
  });
  const evidence = {systemSerial: 'EXP777', macAddresses: ['3c:ec:ef:00:01:01']};
  t.like(await enrolWith(site, evidence), {machineId: id, state: 'enrolled'});
  await reportHardware(site, id, hardwareOf(8));
  t.like(await site.machines.get(id), {state: 'enrolled', labels: {seen: 'no'}});
});

test('what an operator changed or took away stays so when rules are applied again', async t => {
  await using site = await setUp('approve');
  await site.groups.create('user:olga', {
    name: 'lab',
    description: '',
    tags: [],
    filter: '',
    priority: 0,
    templates: [],
    bootProfile: undefined,
  });
  await site.rule('all', {group: 'lab', labels: {a: '1', b: '1', c: '1'}});
  const id = await site.arrive();
  await site.machines.label('user:olga', id, {set: {b: '2'}, remove: ['a']});
  await site.groups.remove('user:olga', 'lab', id);
  await site.rules.update('user:olga', 'all', {labels: {a: '9', b: '9', c: '9', d: '9'}});
  t.deepEqual(await site.rules.apply(''), ['held']);
  t.deepEqual((await site.machines.get(id)).labels, {b: '2', c: '9', d: '9'});
  t.deepEqual(await site.groups.ofMachine(id), []);

  await site.machines.accept('user:olga', id);
  await site.rule('late', {decision: 'reject', labels: {late: 'yes'}});
  await reportHardware(site, id, hardwareOf(65));
  t.is((await site.machines.get(id)).labels['late'], undefined, 'it was accepted');
  t.deepEqual(await site.rules.apply(id), ['given']);
  t.like(await site.machines.get(id), {state: 'enrolled', labels: {late: 'yes'}});
});

test('explain says of each rule which part decided and what the machine has there', async t => {
  await using site = await setUp('approve');
  await site.rule('nvme', {
    condition: 'hardware.disks.transport = nvme AND (product:r740 OR hardware.memory_bytes > 100G)',
    decision: 'accept',
    priority: 5,
  });
  await site.rule('unlabelled', {condition: '-labels.rack = r7', labels: {rack: 'none'}});
  await site.rule('off', {disabled: true, decision: 'reject'});
  const id = await site.arrive();
  const {rules, verdict, reason} = await site.rules.explain(id);
  t.deepEqual(
    rules.map(({rule, matched}) => [rule.name, matched]),
    [
      ['nvme', false],
      ['off', true],
      ['unlabelled', true],
    ],
  );
  t.deepEqual(rules[0]?.parts, [
    {text: 'product : "r740"', met: false, actual: 'PowerEdge R640'},
    {text: 'hardware.memory_bytes > "100G"', met: false, actual: String(64 * 2 ** 30)},
  ]);
  t.regex(rules[0]?.reason ?? '', /^It does not match: product : "r740" does not hold/);
  t.like(verdict, {decision: 'none', conflicts: {length: 0}});
  t.regex(reason, /^It waits/);
});

test('a dry run counts machines and shows those that wait first', async t => {
  await using site = await setUp('approve');
  const [a, b] = [await site.arrive(), await site.arrive()];
  await site.arrive('Other');
  await site.machines.accept('user:olga', a);
  const {id} = await site.rule('r640', {condition: 'product:r640', decision: 'accept'});
  for (const request of [
    {ruleId: '', condition: 'product:r640'},
    {ruleId: id, condition: ''},
  ]) {
    const {matching, waiting, sample} = await site.rules.test({...request, sampleSize: 1});
    t.deepEqual([matching.count, waiting], [2, 1]);
    t.deepEqual(
      sample.map(machine => machine.id),
      [b],
    );
  }
});

test('a condition that means nothing any more matches nothing and stops no report', async t => {
  await using site = await setUp('approve');
  const group = {
    name: 'gone',
    description: '',
    tags: [],
    filter: 'product:r640',
    priority: 0,
    templates: [],
    bootProfile: undefined,
  };
  await site.groups.create('user:olga', group);
  await site.rule('members', {condition: 'group = gone', decision: 'accept'});
  await site.groups.delete('user:olga', 'gone');
  const id = await site.arrive();
  t.is((await site.machines.get(id)).state, 'pending');
  const {rules} = await site.rules.explain(id);
  t.regex(rules[0]?.reason ?? '', /there is no group "gone"/);
});

test('a rule that cannot be is refused', async t => {
  await using site = await setUp();
  await site.rule('one', {decision: 'hold'});
  const refused = async (promise: Promise<unknown>, message: RegExp) =>
    t.throwsAsync(promise, {instanceOf: DomainError, message});
  await refused(site.rule('ONE', {decision: 'hold'}), /the name is taken/);
  await refused(site.rule('two', {}), /it does nothing/);
  await refused(site.rule('two', {decision: 'hold', condition: 'prod = x'}), /no field "prod"/);
  await refused(site.rule('two', {group: 'nowhere'}), /Cannot find group "nowhere"/);
  const templates = [{name: 'missing', version: 0, parameters: {}}];
  await refused(site.rule('two', {templates}), /Cannot find template "missing"/);
  await refused(site.rules.apply('019a0000-0000-7000-8000-000000000000'), /Cannot find machine/);
});

test('what is said of the parts of a condition adds up to what the database says of the whole', async t => {
  await using site = await setUp();
  const id = await site.arrive();
  await site.machines.label('user:olga', id, {set: {rack: 'r7'}, remove: []});
  const leaf = fc.constantFrom(
    'product:r640',
    'labels.rack = r7',
    'labels.row = w1',
    'hardware.memory_bytes > 64G',
    'hardware.disks.transport = nvme',
    'hardware.disks.rotational = true',
    'clock_skew_ms < 5',
    'last_seen_time > 2026-01-01',
    'state != ENROLLED',
    'dell',
  );
  const {tree} = fc.letrec<{tree: string}>(tie => ({
    tree: fc.oneof(
      {maxDepth: 4},
      leaf,
      fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} AND ${b})`),
      fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} OR ${b})`),
      tie('tree').map(inner => `NOT (${inner})`),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(tree, async text => {
      const filter = parseFilter(text);
      const leaves = leavesOf(filter);
      const texts = [text, ...leaves.map(textOf)];
      const [whole, ...parts] = await site.search.judge(site.sql, id, texts);
      const met = new Map(leaves.map((one, index) => [one, parts[index] === true]));
      t.is(
        isMet(filter, one => met.get(one) === true),
        whole === true,
        text,
      );
    }),
    {numRuns: 60},
  );
});
