import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {Code, ConnectError, createClient, createRouterTransport} from '@connectrpc/connect';
import test from 'ava';
import {
  type FinishImageTestRequest,
  FinishImageTestRequest_Outcome,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {imageTestsDurable, subjects} from '@muster/runtime/bus.ts';
import {createOutages, silentLogger} from '@muster/runtime/log.ts';
import {startJobLab} from '../test/helpers/job-lab.ts';
import {until} from '../test/helpers/processes.ts';
import {openDownloads} from './download.ts';
import {createImageStore} from './image-store.ts';
import {startImageTestWorker} from './image-test-worker.ts';

const {PASSED, CANCELLED, ERROR} = FinishImageTestRequest_Outcome;
const disk = Buffer.from('a disk, as far as its digest goes');
const sha256 = createHash('sha256').update(disk).digest('hex');

/** Serves that disk; once it `hangs`, it answers nobody. Tells when it was asked and when whoever asked went away. */
async function startImageStore() {
  const store = {
    hangs: false,
    asked: Promise.withResolvers<void>(),
    left: Promise.withResolvers<void>(),
  };
  const server = http.createServer((request, response) => {
    store.asked.resolve();
    response.once('close', () => store.left.resolve());
    if (!store.hangs) response.end(request.url?.endsWith(sha256) ? disk : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(store, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

/** A real queue and image store, and ImageTestService as far as one test goes: no firmware, so that no machine starts. */
async function startLab() {
  await using stack = new AsyncDisposableStack();
  const subject = subjects.imageTestJob;
  const jobs = stack.use(
    await startJobLab({durable: imageTestsDurable, subject, idField: 'imageTestId'}),
  );
  const store = stack.use(await startImageStore());
  const directory = stack.adopt(await mkdtemp(path.join(tmpdir(), 'muster-test-lab-')), place =>
    rm(place, {recursive: true, force: true}),
  );
  const lab = {
    attempt: 0,
    cancelRequested: false,
    finished: [] as FinishImageTestRequest[],
    /** Answers of the server to the results that come next. */
    refusals: [] as Code[],
  };
  const check = ({attempt}: {readonly attempt: number}) => {
    if (attempt !== lab.attempt) throw new ConnectError('stale', Code.Aborted);
  };
  const transport = createRouterTransport(router =>
    router.service(ImageTestService, {
      claimImageTest() {
        lab.attempt += 1;
        const {attempt} = lab;
        return {attempt, disk: {name: 'disk', sha256, sizeBytes: BigInt(disk.length)}};
      },
      reportImageTest(request) {
        check(request);
        return {cancelRequested: lab.cancelRequested};
      },
      finishImageTest(request) {
        check(request);
        const refusal = lab.refusals.shift();
        if (refusal) throw new ConnectError('not this one', refusal);
        lab.finished.push(request);
        return {};
      },
    }),
  );
  const authorize = async () => 'Bearer test';
  const downloads = await openDownloads(store.url, {
    authorize,
    directory: path.join(directory, 'downloads'),
  });
  const start = () =>
    startImageTestWorker(
      {
        tests: createClient(ImageTestService, transport),
        bus: {imageTests: jobs.consumer},
        downloads,
        imageStore: createImageStore(store.url, authorize),
        settings: {firmwares: [], accelerator: 'tcg', timeLimitSeconds: 60},
        workDirectory: path.join(directory, 'work'),
        outages: createOutages(silentLogger),
        log: silentLogger,
      },
      1,
    );
  const owned = stack.move();
  return Object.assign(lab, {
    store,
    start,
    queue: jobs.queue,
    queueEmpty: jobs.queueEmpty,
    nextFinished: () => until('a finished test', async () => lab.finished[0]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  });
}

test('a result waits for a server that is away, and its job leaves the queue', async t => {
  await using lab = await startLab();
  lab.refusals = [Code.Unavailable, Code.Unavailable];
  await using worker = lab.start();
  void worker;
  const imageTestId = await lab.queue();
  t.like(await lab.nextFinished(), {imageTestId, attempt: 1, outcome: PASSED});
  t.deepEqual(lab.refusals, []);
  await lab.queueEmpty();
});

test('a result that the server does not take is an error that says why', async t => {
  await using lab = await startLab();
  lab.refusals = [Code.FailedPrecondition];
  await using worker = lab.start();
  void worker;
  await lab.queue();
  t.like(await lab.nextFinished(), {outcome: ERROR, error: 'not this one'});
});

test('a request to cancel ends a test that runs', async t => {
  await using lab = await startLab();
  lab.store.hangs = true;
  await using worker = lab.start();
  void worker;
  await lab.queue();
  await lab.store.asked.promise;
  lab.cancelRequested = true;
  t.is((await lab.nextFinished()).outcome, CANCELLED);
  await t.notThrowsAsync(lab.store.left.promise);
});

test('a stale attempt stops and drops its job without a result', async t => {
  await using lab = await startLab();
  lab.store.hangs = true;
  await using worker = lab.start();
  void worker;
  await lab.queue();
  await lab.store.asked.promise;
  lab.attempt += 1;
  await lab.store.left.promise;
  await lab.queueEmpty();
  t.is(lab.finished.length, 0);
});

test('a builder that stops gives its test to the next one', async t => {
  await using lab = await startLab();
  lab.store.hangs = true;
  const worker = lab.start();
  await lab.queue();
  await lab.store.asked.promise;
  await worker[Symbol.asyncDispose]();
  lab.store.hangs = false;
  await using other = lab.start();
  void other;
  t.like(await lab.nextFinished(), {attempt: 2, outcome: PASSED});
});
