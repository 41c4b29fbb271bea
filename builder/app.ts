import {once} from 'node:events';
import {readFile, rm} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import path from 'node:path';
import {answerHealth, type Readiness} from '@muster/runtime/health.ts';
import {createOutages, type Logger} from '@muster/runtime/log.ts';
import {openBackends} from './backends/all.ts';
import {probeAccelerator} from './boot-tests/kvm.ts';
import {openBusSession} from './bus-session.ts';
import type {Config} from './config.ts';
import {loadIdentity} from './identity.ts';
import {openDownloads} from './download.ts';
import {createImageStore} from './image-store.ts';
import {startImageTestWorker} from './image-test-worker.ts';
import {startPruning} from './pruning.ts';
import {type BuilderMetrics, createBuilderMetrics} from './metrics.ts';
import {openServerSession, startReporting} from './server-session.ts';
import {startValidationWorker} from './validation-worker.ts';
import {startWorker} from './worker.ts';

const pruneEveryMs = 6 * 3_600_000;

export type Builder = AsyncDisposable & {readonly healthPort: number};

/** Joins when it has not yet, then takes builds until it is disposed. */
export async function startBuilder(
  config: Config,
  log: Logger,
  signal: AbortSignal,
): Promise<Builder> {
  await using stack = new AsyncDisposableStack();
  const stop = new AbortController();
  stack.defer(() => stop.abort());
  const running = AbortSignal.any([signal, stop.signal]);

  const checks = {joined: false, server: () => false, nats: () => false};
  const readiness = () => ({
    joined: checks.joined,
    server: checks.server(),
    nats: checks.nats(),
  });
  const metrics = createBuilderMetrics(readiness);
  const health = stack.use(await listenForHealth(config, {readiness, metrics, log}));
  const workDirectory = path.join(config.stateDirectory, 'work');
  await rm(workDirectory, {recursive: true, force: true});
  const backends = await openBackends(config, log);
  const accelerator = await probeAccelerator(config.bootTestAccelerator, running);
  log.info({accelerator}, 'boot tests');

  const identity = await loadIdentity(config.stateDirectory);
  const outages = createOutages(log);
  const session = await openServerSession(config, identity, {signal: running, log, outages});
  stack.use(session.connection);
  checks.joined = true;
  const reporting = startReporting(session, {
    version: await readVersion(),
    backends,
    signal: running,
    log,
    outages,
  });
  checks.server = reporting.accepted;
  stack.defer(() => reporting.ended);
  stack.defer(() => stop.abort());

  const bus = stack.use(await openBusSession(session, identity, {signal: running, log, outages}));
  checks.nats = bus.connected;
  const imageStore = createImageStore(config.serverUrl, session.authorize);
  const settings = {
    firmwares: config.bootTestFirmwares,
    accelerator,
    timeLimitSeconds: config.bootTestTimeLimitSeconds,
  };
  const {observer} = metrics;
  stack.use(
    startWorker(
      {
        builds: session.builds,
        storePaths: session.storePaths,
        bus,
        backends,
        imageStore,
        bootTests: settings,
        workDirectory,
        buildTimeLimitSeconds: config.buildTimeLimitSeconds,
        observer,
        outages,
        log,
      },
      config.buildSlots,
    ),
  );
  stack.use(
    startValidationWorker(
      {builds: session.builds, bus, backends, observer, outages, log},
      config.validationSlots,
    ),
  );
  const downloads = await openDownloads(config.serverUrl, {
    authorize: session.authorize,
    directory: path.join(config.stateDirectory, 'image-tests'),
  });
  const {imageTests: tests} = session;
  stack.use(
    startImageTestWorker(
      {tests, bus, downloads, imageStore, settings, workDirectory, observer, outages, log},
      config.imageTestSlots,
    ),
  );
  stack.use(startPruning({builds: session.builds, backends, everyMs: pruneEveryMs, log}));
  log.info({serviceId: session.serviceId, slots: config.buildSlots}, 'taking builds');

  const owned = stack.move();
  return {healthPort: health.port, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

type Watched = {
  readonly readiness: () => Readiness;
  readonly metrics: BuilderMetrics;
  readonly log: Logger;
};

/** Whoever reaches this port may read it: it says nothing about machines, and listens on loopback. */
async function listenForHealth(
  {healthHost, healthPort}: Config,
  watched: Watched,
): Promise<AsyncDisposable & {readonly port: number}> {
  const server = http.createServer((request, response) => {
    answerWatcher(request.url ?? '', watched)
      .then(({status, type, body}) => {
        response.writeHead(status, {'content-type': type});
        response.end(body);
      })
      .catch((error: unknown) => {
        watched.log.error({err: error}, 'cannot collect metrics');
        response.writeHead(500).end();
      });
  });
  server.listen(healthPort, healthHost);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerWatcher(
  path: string,
  {readiness, metrics}: Watched,
): Promise<{readonly status: number; readonly type: string; readonly body: string}> {
  if (path.split('?', 1)[0] === '/metrics')
    return {status: 200, type: metrics.contentType, body: await metrics.text()};
  const answer = answerHealth(path, readiness);
  return {
    type: 'application/json',
    status: answer?.status ?? 404,
    body: answer?.body ?? '{"code":"not_found"}\n',
  };
}

async function readVersion(): Promise<string> {
  const text = await readFile(path.join(import.meta.dirname, 'package.json'), 'utf8');
  const manifest: unknown = JSON.parse(text);
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '';
}
