import {createHash} from 'node:crypto';
import {type Client, createClient} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {jetstream} from '@nats-io/jetstream';
import {createUser} from '@nats-io/nkeys';
import {connect, jwtAuthenticator} from '@nats-io/transport-node';
import {BuildService, FinishBuildRequest_Outcome} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {BootTest_Firmware, Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Service_Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {buildersDurable, busOptions} from '@muster/runtime/bus.ts';
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
export async function startContractBuilder(muster: Muster, name: string): Promise<AsyncDisposable> {
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
      .reportService({version: 'test', backends: [{name: 'debian', available: true}]})
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
  const consumer = await until('the work queue', () =>
    jetstream(nats).consumers.get('JOBS', buildersDurable),
  );
  const messages = await consumer.consume({max_messages: 1});
  const upload = createUpload(muster.serverUrl, serviceAuthorization(serviceId, key));
  const working = (async () => {
    for await (const message of messages) {
      const {buildId} = message.json<{buildId: string}>();
      try {
        await build(builds, buildId, upload);
        message.ack();
      } catch {
        message.nak(500);
      }
    }
  })();

  stack.defer(() => working.catch(() => undefined));
  stack.defer(() => messages.stop());
  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}

type Upload = (
  name: string,
  content: string,
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
  const inputs = `${spec.kind} ${spec.variant} ${JSON.stringify(spec.imageConfig?.hostName)}`;
  const content = inputs.padEnd(1024, ' ');
  await builds.finishBuild({
    buildId,
    attempt,
    outcome: FinishBuildRequest_Outcome.SUCCEEDED,
    image: {
      kind: spec.kind,
      variant: spec.variant,
      backend: 'debian',
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
    const body = Buffer.from(content.padEnd(Math.ceil(content.length / 4) * 4));
    const sha256 = createHash('sha256').update(body).digest('hex');
    const response = await fetch(`${serverUrl}/blobs/sha256/${sha256}`, {
      method: 'PUT',
      headers: {authorization: await authorization()},
      body,
    });
    if (!response.ok) throw new Error(`PUT blob: ${response.status} ${await response.text()}`);
    return {name, sha256, sizeBytes: BigInt(body.length)};
  };
