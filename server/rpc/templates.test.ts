import {Code, type ConnectError} from '@connectrpc/connect';
import {create, fromJson} from '@bufbuild/protobuf';
import {ValueSchema} from '@bufbuild/protobuf/wkt';
import {
  Template_Parameter_Type,
  Template_ParameterSchema,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import test from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {createTestTemplates, portParameter, webTemplate} from '../../test/helpers/templates.ts';

const postgres = postgresOf(test);

async function setUp() {
  const database = await postgres.createDatabase();
  const app = await createTestTemplates(database.sql);
  return {...app, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]()};
}

const refused = async (call: Promise<unknown>): Promise<{code: Code | 0; message: string}> =>
  call.then(
    () => ({code: 0, message: 'not refused'}),
    (error: ConnectError) => ({code: error.code, message: error.rawMessage}),
  );

test('a template is created, read, listed and has its versions', async t => {
  await using app = await setUp();
  const {client} = app;
  const types = [
    {...portParameter, defaultValue: fromJson(ValueSchema, 80)},
    {
      name: 'names',
      type: Template_Parameter_Type.STRING_LIST,
      pattern: '[a-z]+',
      defaultValue: fromJson(ValueSchema, ['a']),
    },
    {name: 'mode', type: Template_Parameter_Type.STRING, allowedValues: ['on', 'off']},
    {
      name: 'fast',
      type: Template_Parameter_Type.BOOLEAN,
      defaultValue: fromJson(ValueSchema, false),
    },
  ];
  const {template} = await client.createTemplate({template: {...webTemplate, parameters: types}});
  t.like(template, {name: 'web', version: 1, builtin: false});
  const {template: read} = await client.getTemplate({name: 'web'});
  t.deepEqual(
    read?.parameters,
    types.map(part => create(Template_ParameterSchema, part)),
  );

  await client.updateTemplate({template: {...webTemplate, description: 'Two'}});
  t.like((await client.getTemplate({name: 'web'})).template, {version: 2, description: 'Two'});
  t.like((await client.getTemplate({name: 'web', version: 1})).template, {
    description: 'A web server',
    parameters: {length: 4},
  });
  const again = await client.updateTemplate({template: {...webTemplate, description: 'Two'}});
  t.is(again.template?.version, 2, 'nothing differs');

  for (const name of ['a', 'b', 'c'])
    await client.createTemplate({template: {...webTemplate, name}});
  const first = await client.listTemplates({pageSize: 3});
  const rest = await client.listTemplates({pageSize: 3, pageToken: first.nextPageToken});
  t.deepEqual(
    [...first.templates, ...rest.templates].map(({name, version}) => `${name}@${version}`),
    ['a@1', 'b@1', 'c@1', 'web@2'],
  );
  t.is(rest.nextPageToken, '');
  t.deepEqual(
    (
      await app.sql`select type, actor, subject from events where type like 'template.%' order by sequence limit 2`
    ).map(row => ({...row})),
    [
      {type: 'template.created', actor: 'user:alice', subject: 'templates/web'},
      {type: 'template.updated', actor: 'user:alice', subject: 'templates/web'},
    ],
  );
});

test('what cannot be a template is refused with its reason', async t => {
  await using app = await setUp();
  const {client} = app;
  const make = (part: object) =>
    refused(client.createTemplate({template: {...webTemplate, ...part}}));
  t.deepEqual(await make({nixosModule: 'parameters: {\n  a = 1\n}'}), {
    code: Code.InvalidArgument,
    message:
      'Cannot keep template "web": templates/web:3:1: Unexpected "}": expected ";" at the end of the value of "a"',
  });
  t.regex(
    (await make({nixosModule: '"-----BEGIN PRIVATE KEY-----"'})).message,
    /templates\/web:1:2: This looks like a PEM private key/,
  );
  t.regex((await make({nixosModule: '1 # \0'})).message, /zero byte/);
  t.regex(
    (await make({parameters: [portParameter, portParameter]})).message,
    /"port" is declared twice/,
  );
  t.regex(
    (await make({parameters: [{...portParameter, maximum: 2n ** 62n}]})).message,
    /beyond ±9007199254740991/,
  );
  t.regex(
    (await make({parameters: [{...portParameter, defaultValue: fromJson(ValueSchema, {a: 1})}]}))
      .message,
    /the default of parameter "port" must be a whole number, not {"a":1}/,
  );
  t.is((await make({})).message, 'not refused');
  t.is((await make({})).code, Code.AlreadyExists);
  t.is(
    (await refused(client.updateTemplate({template: {...webTemplate, name: 'other'}}))).code,
    Code.NotFound,
  );
  t.deepEqual(await refused(client.getTemplate({name: 'web', version: 7})), {
    code: Code.NotFound,
    message: 'Cannot find version 7 of template "web": "muster templates list" shows what there is',
  });
  t.is((await refused(client.listTemplates({pageToken: 'A B'}))).code, Code.InvalidArgument);
});

test('a machine takes templates with parameters that fit, and no others', async t => {
  await using app = await setUp();
  await app.client.createTemplate({template: webTemplate});
  const id = await app.addMachine('r7');
  const use = (name: string, parameters: Record<string, string | number>, version = 0) =>
    app.useTemplates(id, [{name, version, parameters}]);

  t.deepEqual(
    (await use('web', {port: 80}))?.templates.map(({name, version, parameters}) => ({
      name,
      version,
      parameters,
    })),
    [{name: 'web', version: 0, parameters: {port: 80}}],
  );
  t.deepEqual((await app.machines.getMachine({id})).machine?.templates[0]?.parameters, {port: 80});
  for (const [call, code, message] of [
    [
      use('web', {}),
      Code.InvalidArgument,
      'Cannot use template "web": parameter "port" is missing and has no default: give it a whole number',
    ],
    [
      use('web', {port: 0, prot: 1}),
      Code.InvalidArgument,
      'Cannot use template "web": parameter "prot" is unknown; it has "port"; parameter "port" must be at least 1, not 0',
    ],
    [
      use('nope', {}),
      Code.NotFound,
      'Cannot find template "nope": "muster templates list" shows what there is',
    ],
    [
      use('web', {port: 80}, 2),
      Code.NotFound,
      'Cannot find version 2 of template "web": "muster templates list" shows what there is',
    ],
    [
      app.useTemplates(id, [
        {name: 'web', parameters: {port: 1}},
        {name: 'web', parameters: {port: 2}},
      ]),
      Code.InvalidArgument,
      'Cannot use template "web" twice on one machine: give one set of parameters',
    ],
  ] as const)
    t.deepEqual(await refused(call), {code, message});
  t.deepEqual((await app.useTemplates(id, []))?.templates, []);
});

test('an update tells which machines it changes, and is refused when one would not fit', async t => {
  await using app = await setUp();
  const {client} = app;
  await client.createTemplate({template: webTemplate});
  const follower = await app.addMachine('r7', [{name: 'web', parameters: {port: 80}}]);
  await app.addMachine('r8', [{name: 'web', version: 1, parameters: {port: 81}}]);
  await app.addMachine('r9');

  const changed = {...webTemplate, nixosModule: '_: {}'};
  const dry = await client.updateTemplate({template: changed, dryRun: true});
  const expected = [{machineId: follower, machineName: 'r7', version: 2, follows: true}];
  t.deepEqual(
    dry.machines.map(({machineId, machineName, version, follows}) => ({
      machineId,
      machineName,
      version,
      follows,
    })),
    expected,
  );
  t.is(dry.template?.version, 2);
  t.is((await client.getTemplate({name: 'web'})).template?.version, 1, 'a dry run changes nothing');

  const narrow = {...changed, parameters: [{...portParameter, minimum: 1024n}]};
  for (const dryRun of [true, false])
    t.deepEqual(await refused(client.updateTemplate({template: narrow, dryRun})), {
      code: Code.FailedPrecondition,
      message:
        'Cannot update template "web": parameters of machines that follow it would not fit (machine "r7": parameter "port" must be at least 1024, not 80); name a version on them, or give new parameters defaults',
    });
  await client.updateTemplate({template: changed});
  const {machines} = await client.listTemplateMachines({name: 'web'});
  t.deepEqual(
    machines
      .map(({machineName, version, follows}) => `${machineName} ${version} ${follows}`)
      .sort((a, b) => a.localeCompare(b)),
    ['r7 2 true', 'r8 1 false'],
  );
  const page = await client.listTemplateMachines({name: 'web', pageSize: 1});
  t.is(
    (await client.listTemplateMachines({name: 'web', pageSize: 1, pageToken: page.nextPageToken}))
      .machines.length,
    1,
  );
  t.is((await refused(client.listTemplateMachines({name: 'nope'}))).code, Code.NotFound);
});

test('a template that is used is not deleted, whoever is first', async t => {
  await using app = await setUp();
  const {client} = app;
  await client.createTemplate({template: webTemplate});
  const id = await app.addMachine('r7', [{name: 'web', parameters: {port: 80}}]);
  t.deepEqual(await refused(client.deleteTemplate({name: 'web'})), {
    code: Code.FailedPrecondition,
    message: 'Cannot delete template "web": machines "r7" use it; take it away from them first',
  });
  await app.useTemplates(id, []);

  for (let round = 0; round < 10; round += 1) {
    const [used, deleted] = await Promise.all([
      refused(app.useTemplates(id, [{name: 'web', parameters: {port: 80}}])),
      refused(client.deleteTemplate({name: 'web'})),
    ]);
    t.true((used.code === 0) !== (deleted.code === 0), `${used.message}; ${deleted.message}`);
    await app.useTemplates(id, []);
    if (deleted.code === 0) await client.createTemplate({template: webTemplate});
  }
  await client.deleteTemplate({name: 'web'});
  t.is((await refused(client.deleteTemplate({name: 'web'}))).code, Code.NotFound);
});

test('two versions at once become two versions, and two names at once one', async t => {
  await using app = await setUp();
  const {client} = app;
  const created = await Promise.all(
    [1, 2, 3].map(() => refused(client.createTemplate({template: webTemplate}))),
  );
  t.is(created.filter(({message}) => message.includes('the name is taken')).length, 2);
  const updated = await Promise.all(
    ['a', 'b', 'c'].map(description =>
      client.updateTemplate({template: {...webTemplate, description}}),
    ),
  );
  const versions = updated.map(({template}) => template?.version ?? 0);
  t.deepEqual(
    versions.toSorted((a, b) => a - b),
    [2, 3, 4],
  );
});
