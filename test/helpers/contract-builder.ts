import {createHash} from 'node:crypto';
import {type Client, Code, ConnectError, createClient} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {jetstream, type JsMsg} from '@nats-io/jetstream';
import {createUser} from '@nats-io/nkeys';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';
import {
  BuildService,
  Diagnostic_Kind,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {BootTest_Firmware, Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  FinishImageTestRequest_Outcome,
  ImageTest_TestType,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {Service_Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {
  buildersDurable,
  busOptions,
  imageTestsDurable,
  validationsDurable,
} from '@muster/runtime/bus.ts';
import {
  createServerConnection,
  createServiceTransport,
  serviceAuthorization,
} from '@muster/runtime/rpc-client.ts';
import {privateKeyOf} from '@muster/runtime/tokens.ts';
import type {Muster} from './muster.ts';
import {until} from './processes.ts';

/**
 * A builder written against the contract alone, for tests whose subject is not the images: its artifacts are a few bytes that no machine could boot.
 * It joins, takes jobs from JetStream, claims, uploads and finishes like any other.
 */
export async function startContractBuilder(
  muster: Muster,
  name: string,
  offered: readonly string[] = ['debian'],
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const user = createUser();
  const seed = user.getSeed();
  const key = privateKeyOf(new TextDecoder().decode(seed));
  const {code} = await muster
    .client(ServiceService)
    .createJoinCode({kind: Service_Kind.BUILDER, name});
  const open = createConnectTransport({baseUrl: muster.serverUrl, httpVersion: '1.1'});
  const {service} = await createClient(ServiceService, open).joinService({
    code,
    publicKey: user.getPublicKey(),
  });
  const serviceId = service?.id ?? '';
  const {sessionManager} = stack.use(createServerConnection(muster.serverUrl));
  const transport = createServiceTransport({
    baseUrl: muster.serverUrl,
    serviceId,
    key,
    sessionManager,
  });
  const services = createClient(ServiceService, transport);
  const builds = createClient(BuildService, transport);
  const report = () =>
    services
      .reportService({
        version: 'test',
        backends: offered.map(name => ({name, available: true})),
      })
      .catch(() => undefined);
  await report();
  const heartbeat = setInterval(() => void report(), 2000);
  stack.defer(() => clearInterval(heartbeat));

  const credential = await services.issueServiceCredential({});
  const login = {
    ...busOptions({
      servers: credential.natsServers,
      siteCa: credential.siteCa,
      name: `builder-${name}`,
    }),
    authenticator: jwtAuthenticator(() => credential.natsJwt, seed),
    inboxPrefix: `muster.inbox.${serviceId}`,
  };
  // A fresh server has not pushed its account or made its streams yet.
  const nats = stack.adopt(await until('NATS', () => connect(login)), nats => nats.close());
  const upload = createUpload(muster.serverUrl, serviceAuthorization(serviceId, key));
  stack.use(
    await takeJobs(nats, buildersDurable, message =>
      build(builds, message.json<{buildId: string}>().buildId, upload),
    ),
  );
  stack.use(
    await takeJobs(nats, validationsDurable, message =>
      validate(builds, message.json<{validationId: string}>().validationId),
    ),
  );
  const tests = createClient(ImageTestService, transport);
  const seen = new Set<string>();
  stack.use(
    await takeJobs(nats, imageTestsDurable, message =>
      testImage(tests, message.json<{imageTestId: string}>().imageTestId, {upload, seen}),
    ),
  );
  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** One job after the other, until disposed. */
async function takeJobs(
  nats: NatsConnection,
  durable: string,
  work: (message: JsMsg) => Promise<void>,
): Promise<AsyncDisposable> {
  const consumer = await until(`the work queue of ${durable}`, () =>
    jetstream(nats).consumers.get('JOBS', durable),
  );
  const messages = await consumer.consume({max_messages: 1});
  const working = (async () => {
    for await (const message of messages) {
      try {
        await work(message);
        message.ack();
      } catch (error) {
        const isOver = error instanceof ConnectError && error.code === Code.FailedPrecondition;
        if (isOver) message.ack();
        else message.nak(500);
      }
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      messages.stop();
      await working.catch(() => undefined);
    },
  };
}

/** Stands in for an evaluation: the only mistake that it knows is "enabel". */
async function validate(builds: Client<typeof BuildService>, validationId: string): Promise<void> {
  const {spec} = await builds.claimValidation({validationId});
  const diagnostics = findMistakes(spec?.nixosConfig ?? '');
  await builds.finishValidation({validationId, diagnostics, durationMs: 1});
}

const findMistakes = (nixosConfig: string) =>
  nixosConfig.split('\n').flatMap((text, index) =>
    text.includes('enabel')
      ? [
          {
            kind: Diagnostic_Kind.UNKNOWN_OPTION,
            message: 'The option "enabel" does not exist',
            line: index + 1,
            column: text.indexOf('enabel') + 1,
          },
        ]
      : [],
  );

/** The smallest PNG there is: one black point. */
export const blackPoint = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/**
 * Stands in for virtual machines: "broken.service" is never active, "flaky.service" not at the first time, and a script with "wait" goes on until
 * somebody cancels it.
 */
async function testImage(
  tests: Client<typeof ImageTestService>,
  imageTestId: string,
  {upload, seen}: {upload: Upload; seen: Set<string>},
): Promise<void> {
  const claim = await tests.claimImageTest({imageTestId});
  const attempt = {imageTestId, attempt: claim.attempt};
  const units = claim.plan?.units ?? [];
  const lines = ['MUSTER init', `testing ${claim.image?.id ?? claim.disk?.name}`];
  const report = {...attempt, stage: 'agent started', log: {lines}};
  let {cancelRequested} = await tests.reportImageTest(report);
  while (claim.plan?.script.includes('wait') && !cancelRequested)
    ({cancelRequested} = await tests.reportImageTest(attempt));
  if (cancelRequested) {
    const {CANCELLED: outcome} = FinishImageTestRequest_Outcome;
    await tests.finishImageTest({...attempt, outcome});
    return;
  }
  const isActive = (unit: string) =>
    unit !== 'broken.service' && (unit !== 'flaky.service' || seen.has(unit));
  const checks = units.map(unit => {
    const passed = isActive(unit);
    return {name: `unit ${unit}`, passed, detail: passed ? 'active (running)' : 'failed (failed)'};
  });
  for (const unit of units) seen.add(unit);
  const passed = checks.every(check => check.passed);
  await tests.finishImageTest({
    ...attempt,
    outcome: passed ? FinishImageTestRequest_Outcome.PASSED : FinishImageTestRequest_Outcome.FAILED,
    error: passed ? '' : 'Under BIOS: a unit is not active',
    results: claim.firmwares.slice(0, passed ? 2 : 1).map(firmware => ({
      firmware,
      passed,
      durationMs: 1,
      stage: 'agent started',
      checks: claim.testType === ImageTest_TestType.SERVICE ? checks : [],
    })),
    screenshot: await upload('screen.png', blackPoint),
    serialLog: await upload('serial.log', `${lines.join('\n')}\nlater\n`),
  });
}

type Upload = (
  name: string,
  content: string | Buffer,
) => Promise<{name: string; sha256: string; sizeBytes: bigint}>;

async function build(builds: Client<typeof BuildService>, buildId: string, upload: Upload) {
  const {spec, attempt} = await builds.claimBuild({buildId});
  if (!spec) throw new Error('A claim without work');
  await builds.reportBuild({
    buildId,
    attempt,
    step: 'layers',
    progressPercent: 50,
    log: {lines: [`building ${spec.kind}`]},
  });
  const diagnostics = findMistakes(spec.nixosConfig);
  if (diagnostics.length > 0) {
    const error = 'The configuration cannot be evaluated';
    const outcome = FinishBuildRequest_Outcome.FAILED;
    await builds.finishBuild({buildId, attempt, outcome, error, diagnostics});
    return;
  }
  const inputs = `${spec.kind} ${spec.variant} ${JSON.stringify(spec.imageConfig?.hostName ?? spec.facts?.machineId)}`;
  const content = inputs.padEnd(1024, ' ');
  await builds.finishBuild({
    buildId,
    attempt,
    outcome: FinishBuildRequest_Outcome.SUCCEEDED,
    image: {
      kind: spec.kind,
      variant: spec.variant,
      backend: spec.backend,
      inputKey: createHash('sha256').update(inputs).digest('hex'),
      kernel: await upload('vmlinuz', `kernel ${content}`),
      initrds: [await upload('initrd.zst', `initrd ${content}`)],
      layers: spec.kind === Image_Kind.MACHINE ? [await upload('base.squashfs', content)] : [],
      commandLine: 'console=ttyS0 panic=30',
      memoryRequiredBytes: 1n << 29n,
      bootTests: [BootTest_Firmware.BIOS, BootTest_Firmware.UEFI].map(firmware => ({
        firmware,
        passed: true,
        durationMs: 1,
      })),
    },
  });
}

const createUpload =
  (serverUrl: string, authorization: () => Promise<string>): Upload =>
  async (name, content) => {
    const body =
      typeof content === 'string'
        ? Buffer.from(content.padEnd(Math.ceil(content.length / 4) * 4))
        : content;
    const sha256 = createHash('sha256').update(body).digest('hex');
    const response = await fetch(`${serverUrl}/blobs/sha256/${sha256}`, {
      method: 'PUT',
      headers: {authorization: await authorization()},
      body,
    });
    if (!response.ok) throw new Error(`PUT blob: ${response.status} ${await response.text()}`);
    return {name, sha256, sizeBytes: BigInt(body.length)};
  };
