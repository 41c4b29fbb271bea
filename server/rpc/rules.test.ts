import {Code, ConnectError, createClient} from '@connectrpc/connect';
import {Rule_Decision, RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {wireMachines} from '../../test/helpers/server-machines.ts';
import {ruleService} from './rules.ts';
import {serveInMemory, viewOf} from '../../test/helpers/in-memory.ts';

const postgres = postgresOf(test);

async function setUp() {
  const database = await postgres.createDatabase();
  const server = await wireMachines(database.sql);
  const view = viewOf(server.clock);
  const transport = serveInMemory(({service}) =>
    service(RuleService, ruleService(server.rules, view)),
  );
  return {
    ...server,
    api: createClient(RuleService, transport),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const codeOf = async (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );

test('a rule is kept, listed in its order, changed field by field and removed', async t => {
  await using site = await setUp();
  const {api} = site;
  const group = {description: '', tags: [], filter: '', priority: 0, templates: []};
  await site.groups.create('user:olga', {...group, name: 'lab', bootProfile: undefined});
  const {rule} = await api.createRule({
    rule: {
      name: 'lab boxes',
      priority: 3,
      condition: '  product:r640 ',
      decision: Rule_Decision.ACCEPT,
      group: 'LAB',
      labels: {tierLevel: 'x'},
      bootProfile: {serialConsole: 'ttyS0', packages: ['htop']},
    },
  });
  t.like(rule, {
    name: 'lab boxes',
    condition: 'product:r640',
    group: 'lab',
    labels: {tierLevel: 'x'},
    bootProfile: {serialConsole: 'ttyS0', packages: ['htop'], kernelArguments: []},
  });
  for (const [name, priority] of [
    ['b', 0],
    ['A', 0],
    ['first', 9],
  ] as const)
    await api.createRule({rule: {name, priority, decision: Rule_Decision.HOLD}});
  const names: string[] = [];
  for (let pageToken = ''; ;) {
    const page = await api.listRules({pageSize: 3, pageToken});
    names.push(...page.rules.map(({name}) => name));
    ({nextPageToken: pageToken} = page);
    if (pageToken === '') break;
  }
  t.deepEqual(names, ['first', 'lab boxes', 'A', 'b']);

  const id = rule?.id ?? '';
  const changed = await api.updateRule({
    rule: {id, group: '', priority: -1, bootProfile: {}},
    updateMask: {paths: ['id', 'group', 'boot_profile']},
  });
  t.like(changed.rule, {name: 'lab boxes', group: '', priority: 3, bootProfile: undefined});
  t.deepEqual((await api.getRule({id: 'LAB BOXES'})).rule, changed.rule);
  await api.deleteRule({id});
  t.is(await codeOf(api.getRule({id})), Code.NotFound);
  const events = await site.sql`select type from events where type like 'rule.%' order by sequence`;
  t.deepEqual(
    events.map(({type}) => String(type)),
    [...Array.from({length: 4}, () => 'rule.created'), 'rule.updated', 'rule.deleted'],
  );
});

test('a group that goes leaves its rule behind, and what cannot be is refused', async t => {
  await using site = await setUp();
  const {api} = site;
  const group = {description: '', tags: [], priority: 0, templates: [], bootProfile: undefined};
  await site.groups.create('user:olga', {...group, name: 'lab', filter: ''});
  await site.groups.create('user:olga', {...group, name: 'by rule', filter: 'state = READY'});
  await api.createRule({rule: {name: 'one', group: 'lab', decision: Rule_Decision.ACCEPT}});
  await site.groups.delete('user:olga', 'lab');
  t.like((await api.getRule({id: 'one'})).rule, {group: '', decision: Rule_Decision.ACCEPT});

  const update = (rule: object, ...paths: string[]) =>
    codeOf(api.updateRule({rule: {id: 'one', ...rule}, updateMask: {paths}}));
  t.is(await update({}, 'colour'), Code.InvalidArgument);
  t.is(await update({}), Code.InvalidArgument);
  t.is(await update({name: ''}, 'name'), Code.InvalidArgument);
  t.is(await update({decision: Rule_Decision.NONE}, 'decision'), Code.InvalidArgument);
  t.is(await update({group: 'by rule'}, 'group'), Code.FailedPrecondition);
  t.is(await update({condition: 'stat = X'}, 'condition'), Code.InvalidArgument);
  t.is(await codeOf(api.createRule({rule: {decision: Rule_Decision.HOLD}})), Code.InvalidArgument);
  t.is(await codeOf(api.testRule({condition: '('})), Code.InvalidArgument);
  t.is(await codeOf(api.listRules({pageToken: 'x'})), Code.InvalidArgument);
});
