import {Code, ConnectError, createClient, createRouterTransport} from '@connectrpc/connect';
import test from 'ava';
import {
  BuildService,
  Diagnostic_Kind,
  type FinishValidationRequest,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {subjects, validationsDurable} from '@muster/runtime/bus.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {createOutages, silentLogger} from '@muster/runtime/log.ts';
import {startJobLab} from '../test/helpers/job-lab.ts';
import type {Backend} from './backends/backend.ts';
import {startNixLab} from './backends/nix/testing/nix-lab.ts';
import {startValidationWorker} from './validation-worker.ts';

/** A real queue, and BuildService as far as validations go. */
async function startLab(backends: readonly Backend[]) {
  await using stack = new AsyncDisposableStack();
  const {consumer, queue} = stack.use(
    await startJobLab({
      durable: validationsDurable,
      subject: subjects.validateJob,
      idField: 'validationId',
    }),
  );
  const modules = new Map<string, string>();
  const waiting = new Map<string, (request: FinishValidationRequest) => void>();
  const claimed: string[] = [];
  const transport = createRouterTransport(router =>
    router.service(BuildService, {
      claimValidation({validationId}) {
        claimed.push(validationId);
        const nixosConfig = modules.get(validationId);
        if (nixosConfig === undefined) throw new ConnectError('gone', Code.FailedPrecondition);
        return {spec: {kind: 2, backend: 'nix', nixosConfig}, timeLimitSeconds: 60};
      },
      finishValidation(request) {
        waiting.get(request.validationId)?.(request);
        return {};
      },
    }),
  );
  const builds = createClient(BuildService, transport);
  stack.use(
    startValidationWorker(
      {
        builds,
        bus: {validations: consumer},
        backends,
        outages: createOutages(silentLogger),
        log: silentLogger,
      },
      1,
    ),
  );

  const owned = stack.move();
  return {
    claimed,
    queue,
    async validate(nixosConfig: string): Promise<FinishValidationRequest> {
      const validationId = uuidv7();
      modules.set(validationId, nixosConfig);
      const {promise, resolve} = Promise.withResolvers<FinishValidationRequest>();
      waiting.set(validationId, resolve);
      await queue(validationId);
      return promise;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a configuration is evaluated by the real Nix, and the answer says what is wrong', async t => {
  await using nix = await startNixLab();
  await using lab = await startLab([nix.backend]);
  t.deepEqual((await lab.validate('{...}: { services.demo.port = 80; }')).diagnostics, []);

  const {diagnostics, durationMs} = await lab.validate('{...}: {\n  services.demo.port = "x";\n}');
  t.like(diagnostics[0], {kind: Diagnostic_Kind.TYPE, line: 2, column: 3});
  t.true(durationMs > 0);
});

const backendOf = (validate: NonNullable<Backend['validate']>): Backend => ({
  name: 'nix',
  steps: [],
  findMissing: async () => undefined,
  plan: async () => Promise.reject(new Error('not part of a validation')),
  validate,
});

test('a job that nobody waits for is dropped, and the next one is done', async t => {
  await using lab = await startLab([backendOf(async () => [])]);
  await lab.queue(uuidv7());
  t.deepEqual((await lab.validate('{}')).diagnostics, []);
  t.is(lab.claimed.length, 2);
});

test('what breaks in the back end is an answer too', async t => {
  await using lab = await startLab([
    backendOf(async () => Promise.reject(new Error('Cannot open the store'))),
  ]);
  const {diagnostics} = await lab.validate('{}');
  t.is(diagnostics.length, 1);
  t.like(diagnostics[0], {kind: Diagnostic_Kind.OTHER, message: 'Cannot open the store'});
});
