import {randomUUID} from 'node:crypto';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {Code, type ConnectError} from '@connectrpc/connect';
import {
  Diagnostic_Kind,
  type ValidateConfigRequestSchema,
  type ValidateConfigResponse,
  ValidateConfigResponse_Phase,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import test from 'ava';
import {createTestBuilds, createTestMachine, debianBuilder} from '../../test/helpers/builds.ts';
import {onDatabase, postgresOf} from '../../test/helpers/postgres.ts';
import {until} from '../../test/helpers/processes.ts';
import {webTemplate} from '../../test/helpers/templates.ts';
import {createTemplates} from '../domain/templates.ts';

const postgres = postgresOf(test);

type Ask = MessageInitShape<typeof ValidateConfigRequestSchema>;

const nixBuilder = {builder: 'b1', backends: [{name: 'nix', available: true, missing: ''}]};

async function setUp(options: Parameters<typeof createTestBuilds>[1] = {}) {
  const app = await onDatabase(postgres, sql =>
    createTestBuilds(sql, {builders: [nixBuilder], ...options}),
  );
  const {sql} = app;
  const waiting = async (count = 1) => {
    let ids: readonly string[] = [];
    await until('a validation', async () => {
      ids = (await app.validations.review()).map(({validationId}) => validationId);
      return ids.length >= count;
    });
    return ids;
  };
  return {
    ...app,
    /** Ids of those that need a job. */
    waiting,
    rows: async () => (await sql`select 1 from validations`).length,
    ask: (request: Ask, signal?: AbortSignal) =>
      collect(app.client.validateConfig(request, signal ? {signal} : {})),
  };
}

/** What came, and the error at its end. */
async function collect(stream: AsyncIterable<ValidateConfigResponse>) {
  const answers: ValidateConfigResponse[] = [];
  try {
    for await (const answer of stream) answers.push(answer);
    return {answers, error: undefined};
  } catch (error) {
    return {answers, error: error as ConnectError};
  }
}

const wrong = ({answers}: {answers: readonly ValidateConfigResponse[]}) =>
  answers.flatMap(({diagnostics}) =>
    diagnostics.map(({kind, source, line, column, message}) => ({
      kind,
      source,
      line,
      column,
      message,
    })),
  );

test('the syntax is judged at once, without any builder', async t => {
  await using app = await setUp({builders: []});
  const started = performance.now();
  const result = await app.ask({nixosConfig: '{\n  a = 1\n}\n'});
  t.log(`answered after ${Math.round(performance.now() - started)} ms`);
  t.deepEqual(wrong(result), [
    {
      kind: Diagnostic_Kind.SYNTAX,
      source: '',
      line: 3,
      column: 1,
      message: 'Unexpected "}": expected ";" at the end of the value of "a"',
    },
  ]);
  t.is(result.error, undefined);
  t.like(result.answers, {length: 1, 0: {phase: ValidateConfigResponse_Phase.SYNTAX}});

  const clean = await app.ask({nixosConfig: '{}', syntaxOnly: true});
  t.like(clean.answers, {length: 1, 0: {diagnostics: {length: 0}}});
  const key = await app.ask({nixosConfig: '{\n k = "-----BEGIN PRIVATE KEY-----"; }'});
  t.like(wrong(key), {length: 1, 0: {kind: Diagnostic_Kind.SECRET, line: 2, column: 7}});
  t.is(await app.rows(), 0);
});

test('then a builder evaluates, and its words come through', async t => {
  await using app = await setUp();
  const asked = app.ask({nixosConfig: '{services.nginx.enabel = true;}'});
  const [validationId = ''] = await app.waiting();
  const builder = app.builder('b1');
  const {spec, timeLimitSeconds} = await builder.claimValidation({validationId});
  t.like(spec, {backend: 'nix', machineId: '', nixosConfig: '{services.nginx.enabel = true;}'});
  t.is(spec?.facts, undefined);
  t.true(timeLimitSeconds > 110 && timeLimitSeconds <= 120);
  const diagnostic = {
    kind: Diagnostic_Kind.UNKNOWN_OPTION,
    source: '',
    line: 1,
    column: 2,
    message: 'The option "services.nginx.enabel" does not exist',
  };
  const finish = () =>
    builder.finishValidation({validationId, diagnostics: [diagnostic], durationMs: 900});
  await Promise.all([finish(), finish()]);
  const result = await asked;
  t.deepEqual(wrong(result), [diagnostic]);
  t.like(result.answers, {
    length: 2,
    1: {phase: ValidateConfigResponse_Phase.EVALUATION, durationMs: 900},
  });
  t.is(await app.rows(), 0);
  await finish();
  const late = await t.throwsAsync(builder.claimValidation({validationId}));
  t.is((late as ConnectError).code, Code.FailedPrecondition);
});

test('with a machine its templates, facts and own module count', async t => {
  await using app = await setUp();
  const templates = createTemplates(app.deps);
  await templates.create('alice', {
    ...webTemplate,
    parameters: [
      {
        name: 'port',
        type: 'integer',
        description: '',
        defaultValue: 80,
        allowedValues: [],
        pattern: '',
        minimum: null,
        maximum: null,
      },
    ],
  });
  const use = (parameters: object) => [{name: 'web', version: 0, parameters: {...parameters}}];
  const machineId = await createTestMachine(app.sql, 'enrolled', {
    hostname: 'r7.example.net',
    templates: use({}),
    nixosConfig: '{own = 1;}',
  });
  const asked = app.ask({machineId});
  const [validationId = ''] = await app.waiting();
  const {spec} = await app.builder('b1').claimValidation({validationId});
  t.like(spec, {
    machineId,
    nixosConfig: '{own = 1;}',
    facts: {machineId, sshAuthorizedKeys: ['ssh-ed25519 AAAA alice'], hostName: 'web-1'},
    templates: {length: 1, 0: {name: 'web', version: 1, parameters: {port: 80}}},
  });
  await app.builder('b1').finishValidation({validationId});
  t.is((await asked).answers.length, 2);

  const unfit = await createTestMachine(app.sql, 'enrolled', {templates: use({prot: 1})});
  t.deepEqual(wrong(await app.ask({machineId: unfit})), [
    {
      kind: Diagnostic_Kind.TEMPLATE,
      source: 'templates/web',
      line: 0,
      column: 0,
      message: 'Parameter "prot" is unknown; it has "port"',
    },
  ]);
});

test('says what is missing, and does not begin', async t => {
  await using app = await setUp({builders: [debianBuilder]});
  const refusal = async (request: Ask) => {
    const {error} = await app.ask(request);
    return {code: error?.code, message: error?.rawMessage};
  };
  t.deepEqual(await refusal({nixosConfig: '{}'}), {
    code: Code.FailedPrecondition,
    message:
      'Cannot evaluate the configuration: no live builder offers nix (builder "b1": Cannot build with nix: no nix command on this host)',
  });
  t.like(await refusal({}), {code: Code.InvalidArgument});
  t.like(await refusal({machineId: randomUUID()}), {code: Code.NotFound});
  const bare = await createTestMachine(app.sql, 'enrolled', {hostname: 'r7'});
  t.deepEqual(await refusal({machineId: bare}), {
    code: Code.FailedPrecondition,
    message: 'Cannot validate machine "r7": it has neither nixos_config nor templates',
  });
  t.is(await app.rows(), 0);

  await using away = await setUp({busIsUp: false});
  const {error} = await away.ask({nixosConfig: '{}'});
  t.is(error?.code, Code.Unavailable);
  t.regex(error?.rawMessage ?? '', /NATS is away/);
});

test('whoever leaves takes the row along', async t => {
  await using app = await setUp();
  const leave = new AbortController();
  const asked = app.ask({nixosConfig: '{}'}, leave.signal);
  const [validationId = ''] = await app.waiting();
  await app.builder('b1').claimValidation({validationId});
  leave.abort();
  t.is((await asked).error?.code, Code.Canceled);
  await until('no row', async () => (await app.rows()) === 0);
  await app.builder('b1').finishValidation({validationId});
});

test('nobody waits longer than the limit', async t => {
  await using app = await setUp({validationLimits: {timeLimitMs: 300}});
  const {answers, error} = await app.ask({nixosConfig: '{}'});
  t.is(answers.length, 1);
  t.is(error?.code, Code.Unavailable);
  t.regex(error?.rawMessage ?? '', /within 0.3 s: no builder took it/);
  t.is(await app.rows(), 0);
});

test('a few at a time, of one caller and of all', async t => {
  await using app = await setUp({validationLimits: {perCallerMax: 2, allMax: 3}});
  await using other = await createTestBuilds(app.sql, {
    builders: [nixBuilder],
    validationLimits: {perCallerMax: 9, allMax: 3},
  });
  const leave = new AbortController();
  const first = [1, 2, 3, 4].map(() => app.ask({nixosConfig: '{}'}, leave.signal));
  await app.waiting(2);
  // Two of the four are refused while the other two go on.
  const refusals = await Promise.all([Promise.race(first), Promise.race(first.toReversed())]);
  for (const {error} of refusals) t.is(error?.code, Code.ResourceExhausted);
  t.regex(refusals[0]?.error?.rawMessage ?? '', /2 of yours and 2 of all are being evaluated/);

  const ask = () =>
    collect(other.client.validateConfig({nixosConfig: '{}'}, {signal: leave.signal}));
  const third = ask();
  await app.waiting(3);
  t.regex((await ask()).error?.rawMessage ?? '', /3 of all are being evaluated/);
  leave.abort();
  await Promise.all([...first, third]);
});

test('after half a minute of silence another builder takes it, and the first result counts', async t => {
  await using app = await setUp();
  const asked = app.ask({nixosConfig: '{}'});
  const [validationId = ''] = await app.waiting();
  const [first, second] = [app.builder('b1'), app.builder('b2')];
  await first.claimValidation({validationId});
  const held = await t.throwsAsync(second.claimValidation({validationId}));
  t.is((held as ConnectError).code, Code.Unavailable);
  await first.claimValidation({validationId});
  const stranger = await t.throwsAsync(second.finishValidation({validationId}));
  t.is((stranger as ConnectError).code, Code.FailedPrecondition);

  app.passTime(31_000);
  const {timeLimitSeconds} = await second.claimValidation({validationId});
  t.true(timeLimitSeconds < 90);
  await first.finishValidation({validationId, durationMs: 1});
  await second.finishValidation({validationId, durationMs: 2});
  t.is((await asked).answers[1]?.durationMs, 1);
});

test('a job that nobody took is wanted again, and what has expired is forgotten', async t => {
  await using app = await setUp();
  const leave = new AbortController();
  const asked = app.ask({nixosConfig: '{}'}, leave.signal);
  const [validationId = ''] = await app.waiting();
  await app.validations.jobQueued(validationId);
  t.deepEqual(await app.validations.review(), []);
  app.passTime(31_000);
  t.deepEqual(await app.validations.review(), [{validationId, jobCount: 1}]);
  app.passTime(90_000);
  const late = await t.throwsAsync(app.builder('b1').claimValidation({validationId}));
  t.is((late as ConnectError).code, Code.FailedPrecondition);
  t.deepEqual(await app.validations.review(), []);
  t.is(await app.rows(), 0);
  leave.abort();
  await asked;
  await app.builder('b1').finishValidation({validationId: uuidv7()});
});
