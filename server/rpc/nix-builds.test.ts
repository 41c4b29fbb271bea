import {Code, ConnectError} from '@connectrpc/connect';
import {
  Diagnostic_Kind,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import test from 'ava';
import {
  createTestBuilds,
  createTestMachine,
  debianBuilder,
  succeededWith,
} from '../../test/helpers/builds.ts';
import {onDatabase, postgresOf} from '../../test/helpers/postgres.ts';
import {createTemplates, type NamedContent} from '../domain/templates.ts';
import {findMachine} from '../store/machines.ts';

const postgres = postgresOf(test);

const nixBuilder = {builder: 'b1', backends: [{name: 'nix', available: true, missing: ''}]};

const port = {
  name: 'port',
  type: 'integer',
  description: '',
  defaultValue: null,
  allowedValues: [],
  pattern: '',
  minimum: null,
  maximum: null,
} as const;
const web: NamedContent = {
  name: 'web',
  description: '',
  nixosModule: 'parameters: {}',
  parameters: [port, {...port, name: 'other', defaultValue: 7}],
};

async function setUp() {
  const app = await onDatabase(postgres, sql => createTestBuilds(sql, {builders: [nixBuilder]}));
  const templates = createTemplates(app.deps);
  await templates.create('alice', web);
  return {...app, templates};
}

const use = (version: number, parameters: object) => [
  {name: 'web', version, parameters: {...parameters}},
];

test('a build keeps the modules, parameters and facts that it was asked for with', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'enrolled', {
    hostname: 'web7.example.net',
    imageConfig: undefined,
    nixosConfig: '{own = 1;}',
    templates: use(0, {port: 80}),
    macAddresses: ['52:54:00:00:00:02', '52:54:00:00:00:01'],
    memoryBytes: 2 ** 37,
    cpuThreads: 64,
    firmwareMode: 'uefi',
  });
  const {build} = await app.client.createBuild({machineId});
  t.is(build?.backend, 'nix');
  await app.templates.update('alice', {...web, nixosModule: '_: {later = 1;}'}, {dryRun: false});

  const builder = app.builder('b1');
  const {spec, attempt} = await builder.claimBuild({buildId: build?.id ?? ''});
  t.like(spec, {backend: 'nix', nixosConfig: '{own = 1;}', imageConfig: undefined});
  t.deepEqual(
    spec?.templates.map(({name, version, nixosModule, parameters}) => [
      name,
      version,
      nixosModule,
      parameters,
    ]),
    [['web', 1, 'parameters: {}', {port: 80, other: 7}]],
  );
  t.like(spec?.facts, {
    machineId,
    hostName: 'web7',
    macAddresses: ['52:54:00:00:00:01', '52:54:00:00:00:02'],
    memoryBytes: 2n ** 37n,
    cpuThreads: 64,
    firmwareMode: 'uefi',
    sshAuthorizedKeys: [],
  });
  await builder.finishBuild({buildId: build?.id ?? '', attempt, ...succeededWith(spec, 'nix')});
  t.is((await findMachine(app.sql, machineId))?.state, 'ready');

  const {build: next} = await app.client.createBuild({machineId});
  const claim = await builder.claimBuild({buildId: next?.id ?? ''});
  t.like(claim.spec?.templates, {length: 1, 0: {version: 2, nixosModule: '_: {later = 1;}'}});
  const {builds} = await app.client.listBuilds({template: 'web'});
  t.deepEqual(
    builds.map(({id}) => id),
    [next?.id, build?.id],
  );
});

test('a template that does not fit any more is told before a build', async t => {
  await using app = await setUp();
  const hostname = 'r7';
  // As a release may bring it: nobody asks the machines then.
  for (const [templates, problem] of [
    [
      use(0, {}),
      'template "web": parameter "port" is missing and has no default: give it a whole number',
    ],
    [use(9, {port: 1}), 'template "web": there is no version 9 of it'],
    [
      [{name: 'gone', version: 0, parameters: {}}],
      'template "gone": there is no template of this name',
    ],
  ] as const) {
    const machineId = await createTestMachine(app.sql, 'enrolled', {hostname, templates});
    const error = await t.throwsAsync<ConnectError>(app.client.createBuild({machineId}));
    t.is(error?.code, Code.FailedPrecondition);
    t.is(error?.rawMessage, `Cannot build machine "r7": ${problem}`);
  }
});

test('a failed build says where its configuration is wrong', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'enrolled', {nixosConfig: '{a = b;}'});
  const {build} = await app.client.createBuild({machineId});
  const buildId = build?.id ?? '';
  const builder = app.builder('b1');
  const {attempt} = await builder.claimBuild({buildId});
  const diagnostics = [
    {kind: Diagnostic_Kind.UNDEFINED_VARIABLE, message: 'No\0 b', source: '', line: 1, column: 6},
    {
      kind: Diagnostic_Kind.TYPE,
      message: 'In a template',
      source: 'templates/web',
      line: 4_000_000_000,
      column: 0,
    },
    {kind: 99 as Diagnostic_Kind, message: 'Of a newer builder', source: '', line: 0, column: 0},
  ];
  const outcome = FinishBuildRequest_Outcome.FAILED;
  await builder.finishBuild({buildId, attempt, outcome, error: 'Wrong', diagnostics});
  t.like((await app.client.getBuild({id: buildId})).build?.diagnostics, {
    length: 3,
    0: {...diagnostics[0], message: 'No\uFFFD b'},
    1: {source: 'templates/web', line: 2 ** 31 - 1},
    2: {kind: Diagnostic_Kind.OTHER},
  });
  t.like((await app.client.listBuilds({machineId})).builds[0], {diagnostics: {length: 3}});
});

test('a builder without the back end leaves the build to one that has it', async t => {
  await using app = await setUp();
  const machineId = await createTestMachine(app.sql, 'enrolled', {nixosConfig: '{own = 1;}'});
  const {build} = await app.client.createBuild({machineId});
  const buildId = build?.id ?? '';
  app.setBuilders([debianBuilder]);
  const refused = ConnectError.from(await t.throwsAsync(app.builder('b1').claimBuild({buildId})));
  t.is(refused.code, Code.Unavailable);
  t.regex(refused.message, /this builder does not offer nix; leave it to another one/);

  app.setBuilders([nixBuilder]);
  t.is((await app.builder('b2').claimBuild({buildId})).attempt, 1);
});
