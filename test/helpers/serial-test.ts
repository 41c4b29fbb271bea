import {randomUUID} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createClient} from '@connectrpc/connect';
import {createUser} from '@nats-io/nkeys';
import {createRawLines} from '@muster/builder/boot-tests/raw-lines.ts';
import {
  FinishImageTestRequest_Outcome,
  ImageTest_TestType,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {BootTest_Firmware} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Service_Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {createServerConnection, createServiceTransport} from '@muster/runtime/rpc-client.ts';
import {privateKeyOf} from '@muster/runtime/tokens.ts';
import type {RunningServer} from './running-server.ts';

export type SerialTest = Awaited<ReturnType<typeof startSerialTest>>;

/** A test of an image whose serial console is what one writes here: cut by the builder's own code, reported by the contract. */
export async function startSerialTest(server: RunningServer) {
  await using stack = new AsyncDisposableStack();
  const tests = await joinAsBuilder(server, stack);
  const imageTestId = await askForTest(server);
  const {attempt} = await tests.claimImageTest({imageTestId});
  let reported: Promise<unknown> = Promise.resolve();
  const raw = createRawLines(line => {
    reported = reported.then(() =>
      tests.reportImageTest({imageTestId, attempt, stage: 'booting', log: {lines: [line]}}),
    );
  });
  stack.defer(raw.end);
  const owned = stack.move();
  return {
    id: imageTestId,
    write: (text: string): void => raw.add(Buffer.from(text)),
    async pass(): Promise<void> {
      raw.end();
      await reported;
      const result = {firmware: BootTest_Firmware.BIOS, passed: true, durationMs: 21_000};
      const {PASSED: outcome} = FinishImageTestRequest_Outcome;
      await tests.finishImageTest({imageTestId, attempt, outcome, results: [result]});
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function joinAsBuilder(server: RunningServer, stack: AsyncDisposableStack) {
  const services = server.client(ServiceService);
  const name = `builder-${randomUUID().slice(0, 8)}`;
  const {code} = await services.createJoinCode({kind: Service_Kind.BUILDER, name});
  const user = createUser();
  const key = privateKeyOf(new TextDecoder().decode(user.getSeed()));
  const {service} = await services.joinService({code, publicKey: user.getPublicKey()});
  const {sessionManager} = stack.use(createServerConnection(server.url));
  const serviceId = service?.id ?? '';
  const identity = {baseUrl: server.url, serviceId, key, sessionManager};
  return createClient(ImageTestService, createServiceTransport(identity));
}

async function askForTest(server: RunningServer): Promise<string> {
  const folder = join(server.folder, 'images', 'images');
  await mkdir(folder, {recursive: true});
  await writeFile(join(folder, 'debian.img'), Buffer.alloc(2048, 7));
  const {imageTest} = await server.client(ImageTestService).createImageTest({
    imagePath: '/images/debian.img',
    testType: ImageTest_TestType.BOOT,
    firmwares: [BootTest_Firmware.BIOS],
  });
  return imageTest?.id ?? '';
}
