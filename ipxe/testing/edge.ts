import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {
  BootAction,
  type BootAnswer,
  BootAnswerSchema,
  BootDecisionSchema,
  type BootSettingsSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {ArtifactSchema, type Image, ImageSchema} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {type Logger, silentLogger} from '@muster/runtime/log.ts';
import {startEdge} from '../app.ts';
import {type EdgeConfig, readConfig} from '../config.ts';
import {joinCode, type MusterServer} from './muster-server.ts';

export const kernelDigest = 'a'.repeat(64);
export const initrdDigest = 'b'.repeat(64);

export function anImage(id: string, parts: MessageInitShape<typeof ImageSchema> = {}): Image {
  const image = create(ImageSchema, parts);
  image.id = id.repeat(64).slice(0, 64);
  image.kernel ??= create(ArtifactSchema, {name: 'vmlinuz', sha256: kernelDigest, sizeBytes: 8n});
  if (image.initrds.length === 0)
    image.initrds.push(
      create(ArtifactSchema, {name: 'initrd.zst', sha256: initrdDigest, sizeBytes: 8n}),
    );
  if (image.commandLine === '') image.commandLine = 'console=ttyS0 panic=30';
  return image;
}

export function anAnswer(parts: MessageInitShape<typeof BootAnswerSchema>): BootAnswer {
  const answer = create(BootAnswerSchema, parts);
  answer.decision ??= create(BootDecisionSchema, {
    action: BootAction.LOCAL_DISK,
    reason: `decision for ${answer.machineId}`,
  });
  return answer;
}

export const settings: MessageInitShape<typeof BootSettingsSchema> = {
  unknown: {action: BootAction.REGISTRATION, reason: 'a machine nobody knows'},
  enrollUrl: 'http://{edge_host}:8080',
  natsServers: ['{edge_host}:4222'],
  siteCa: '-----BEGIN CERTIFICATE-----\n',
};

export async function temporaryFolder(): Promise<AsyncDisposable & {readonly path: string}> {
  const folder = await mkdtemp(path.join(tmpdir(), 'muster-edge-'));
  return {
    path: folder,
    [Symbol.asyncDispose]: () => rm(folder, {recursive: true, force: true}),
  };
}

/** An edge on free ports of the loopback interface. */
export async function startTestEdge({
  stateDir,
  serverUrl,
  settings: overrides = {},
  log = silentLogger,
}: {
  readonly stateDir: string;
  readonly serverUrl: string;
  readonly settings?: Readonly<Record<string, string>>;
  readonly log?: Logger;
}) {
  const config: EdgeConfig = readConfig({
    SERVER_URL: serverUrl,
    EDGE_STATE_DIR: stateDir,
    JOIN_CODE: joinCode,
    HTTP_HOST: '127.0.0.1',
    EDGE_HTTP_PORT: '0',
    TFTP_HOST: '127.0.0.1',
    TFTP_PORT: '0',
    ...overrides,
  });
  const edge = await startEdge(config, log);
  const url = `http://127.0.0.1:${edge.httpPort}`;
  const get = async (target: string, init?: RequestInit) => fetch(`${url}${target}`, init);
  return {
    ...edge,
    url,
    get,
    text: async (target: string) => (await get(target)).text(),
    /** Looks again until the edge's own state is as expected: the book comes by a stream. */
    async until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
      const signal = AbortSignal.timeout(limitMs);
      while (!(await condition())) await sleep(10, undefined, {signal});
    },
    [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose](),
  };
}

export type TestEdge = Awaited<ReturnType<typeof startTestEdge>>;

/** The settings and images that most tests start from, with these answers. */
export function publishBook(
  server: MusterServer,
  answers: readonly BootAnswer[],
  images: readonly Image[] = [anImage('1'), anImage('2')],
): void {
  server.publish({
    reset: true,
    complete: true,
    revision: BigInt(server.state.steps.length + 1),
    answers: [...answers],
    settings,
    images: {
      images: [...images],
      registrationFullImageId: images[0]?.id ?? '',
      registrationVirtualImageId: images[1]?.id ?? '',
    },
  });
}
