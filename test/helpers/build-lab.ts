import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import type http from 'node:http';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  type ServiceImpl,
} from '@connectrpc/connect';
import {connectNodeAdapter, createConnectTransport} from '@connectrpc/connect-node';
import {jetstream} from '@nats-io/jetstream';
import {encodeUser} from '@nats-io/jwt';
import {createUser} from '@nats-io/nkeys';
import type {NatsConnection} from '@nats-io/transport-node';
import {BuildService, type FinishBuildRequest} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {type Image, Image_Kind, Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {StorePathService} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import type {Backend} from '@muster/builder/backends/backend.ts';
import {describeArtifact} from '@muster/builder/digests.ts';
import {createImageStore} from '@muster/builder/image-store.ts';
import {startWorker} from '@muster/builder/worker.ts';
import {buildersDurable, streams, subjects} from '@muster/runtime/bus.ts';
import {createOutages, silentLogger} from '@muster/runtime/log.ts';
import {listenOnePort} from '@muster/runtime/rpc-server.ts';
import {startJobLab} from './job-lab.ts';
import {until} from './processes.ts';

export type BuildLab = Awaited<ReturnType<typeof startBuildLab>>;

/**
 * What a builder's worker talks to: a real nats-server with the JOBS queue, and BuildService and an image store that keep to the contract
 * (attempt numbers, digests) and remember what they heard.
 */
export async function startBuildLab({ackWaitSeconds = 2}: {ackWaitSeconds?: number} = {}) {
  await using stack = new AsyncDisposableStack();
  const jobs = stack.use(
    await startJobLab({
      durable: buildersDurable,
      subject: subjects.buildJob,
      idField: 'buildId',
      ackWaitSeconds,
    }),
  );
  const {nats, connection, queue, queueEmpty} = jobs;
  const directory = stack.adopt(await mkdtemp(path.join(tmpdir(), 'muster-build-lab-')), place =>
    rm(place, {recursive: true, force: true}),
  );

  const lab = {
    cancelRequested: false,
    finishFailures: 0,
    finished: [] as FinishBuildRequest[],
    logLines: [] as string[],
    steps: [] as string[],
    blobs: new Map<string, Buffer>(),
  };
  const attempts = new Map<string, number>();
  const images = new Map<string, Image>();
  const routes = (router: ConnectRouter) => router.service(BuildService, buildService());
  const rpc = connectNodeAdapter({routes});
  const server = stack.use(
    await listenOnePort({
      handler: (request, response) => {
        if (request.url?.startsWith('/blobs/'))
          void answerBlob(
            lab.blobs,
            request as http.IncomingMessage,
            response as http.ServerResponse,
          );
        else rpc(request, response);
      },
      host: '127.0.0.1',
      port: 0,
      log: silentLogger,
    }),
  );
  const serverUrl = `http://127.0.0.1:${server.port}`;

  function buildService(): Partial<ServiceImpl<typeof BuildService>> {
    const check = ({buildId, attempt}: {buildId: string; attempt: number}) => {
      if (attempts.get(buildId) !== attempt) throw new ConnectError('stale', Code.Aborted);
    };
    return {
      claimBuild({buildId}) {
        if (lab.finished.some(done => done.buildId === buildId))
          throw new ConnectError('over', Code.FailedPrecondition);
        const attempt = (attempts.get(buildId) ?? 0) + 1;
        attempts.set(buildId, attempt);
        const spec = {
          kind: Image_Kind.MACHINE,
          variant: Image_Variant.VIRTUAL,
          backend: 'debian',
          machineId: '1',
        };
        return {spec, attempt, timeLimitSeconds: 600};
      },
      reportBuild(request) {
        check(request);
        if (request.step !== '') lab.steps.push(request.step);
        lab.logLines.push(...(request.log?.lines ?? []));
        return {cancelRequested: lab.cancelRequested};
      },
      finishBuild(request) {
        check(request);
        if (lab.finishFailures > 0) {
          lab.finishFailures -= 1;
          throw new ConnectError('away', Code.Unavailable);
        }
        lab.finished.push(request);
        if (request.image) images.set(request.image.inputKey, request.image);
        return {};
      },
      findImage({inputKey}) {
        const image = images.get(inputKey);
        return image ? {image} : {};
      },
      findBootTests: () => ({bootTests: []}),
    };
  }

  function nextFinished(after = 0): Promise<FinishBuildRequest> {
    return until('a finished build', async () => lab.finished[after]);
  }

  const owned = stack.move();
  return Object.assign(lab, {
    serverUrl,
    queue,
    nextFinished,
    async build(): Promise<FinishBuildRequest> {
      const before = lab.finished.length;
      await queue();
      return nextFinished(before);
    },
    makeStale() {
      for (const [buildId, attempt] of attempts) attempts.set(buildId, attempt + 1);
    },
    queueEmpty,
    processGone: (pid: number) =>
      until(`the end of process ${pid}`, () =>
        // A zombie whose new parent has not looked yet runs no more.
        readFile(`/proc/${pid}/stat`, 'utf8').then(
          stat => stat.includes(') Z '),
          () => true,
        ),
      ),
    async startWorker(
      options: {backends?: readonly Backend[]; buildTimeLimitSeconds?: number} = {},
    ): Promise<AsyncDisposable> {
      const {backends = [fileBackend], buildTimeLimitSeconds = 600} = options;
      return startLabWorker({serverUrl, connection, directory, backends, buildTimeLimitSeconds});
    },
    /** A worker in a process of its own whose build runs a program until it is killed. */
    async startWorkerProcess() {
      const child = spawn(
        process.execPath,
        [
          path.join(import.meta.dirname, 'build-lab-worker.ts'),
          serverUrl,
          nats.address,
          path.join(directory, 'other'),
        ],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      );
      const user = createUser();
      const jwt = await encodeUser('worker', user, nats.keys.fleet, {});
      const seed = Buffer.from(user.getSeed()).toString();
      child.stdin.end(JSON.stringify({ca: nats.siteCa, jwt, seed}));
      const lines = createInterface(child.stdout);
      return {
        programPid: once(lines, 'line').then(([line]) => Number(line)),
        kill: () => child.kill('SIGKILL'),
        gone: once(child, 'exit'),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  });
}

export function startLabWorker({
  serverUrl,
  connection,
  directory,
  backends,
  buildTimeLimitSeconds,
}: {
  serverUrl: string;
  connection: NatsConnection;
  directory: string;
  backends: readonly Backend[];
  buildTimeLimitSeconds: number;
}): AsyncDisposable {
  const transport = createConnectTransport({baseUrl: serverUrl, httpVersion: '2'});
  return startWorker(
    {
      builds: createClient(BuildService, transport),
      storePaths: createClient(StorePathService, transport),
      bus: {
        builds: () => jetstream(connection).consumers.get(streams.JOBS.name, buildersDurable),
      },
      backends,
      imageStore: createImageStore(serverUrl, async () => 'Bearer test'),
      bootTests: {firmwares: [], accelerator: 'tcg', timeLimitSeconds: 60},
      workDirectory: path.join(directory, 'work'),
      buildTimeLimitSeconds,
      outages: createOutages(silentLogger),
      log: silentLogger,
    },
    1,
  );
}

/** Two small files that no machine could boot: its subject is the way of a build, not the image. */
const fileBackend: Backend = {
  name: 'debian',
  steps: [{name: 'resolve', weight: 43}],
  findMissing: async () => undefined,
  plan: async (spec, {step}) => {
    step('resolve');
    return {
      inputKey: `key-of-${spec.machineId}`,
      async build(directory, context) {
        context.log(`working on ${spec.machineId}`);
        const [kernel, initrd] = [path.join(directory, 'vmlinuz'), path.join(directory, 'initrd')];
        await writeFile(kernel, `kernel of ${spec.machineId}`);
        await writeFile(initrd, 'four');
        const parts = {
          kernel: await describeArtifact('vmlinuz', kernel),
          initrds: [await describeArtifact('initrd', initrd)],
        };
        return {
          ...parts,
          layers: [],
          commandLine: 'panic=30',
          memoryRequiredBytes: 1024,
          bootTestSha256s: [parts.kernel.sha256],
        };
      },
    };
  },
};

async function answerBlob(
  blobs: Map<string, Buffer>,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const digest = request.url?.split('/').at(-1) ?? '';
  const known = blobs.get(digest);
  if (request.method === 'HEAD') {
    response.writeHead(known ? 200 : 404, known && {'content-length': known.length}).end();
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const content = Buffer.concat(chunks);
  const matches = createHash('sha256').update(content).digest('hex') === digest;
  if (matches) blobs.set(digest, content);
  response.writeHead(matches ? 201 : 422).end();
}
