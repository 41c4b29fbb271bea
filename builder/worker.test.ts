import test from 'ava';
import {
  Diagnostic_Kind,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {startBuildLab} from '../test/helpers/build-lab.ts';
import type {Backend} from './backends/backend.ts';
import {ConfigurationError} from './backends/configuration-error.ts';
import {runProgram} from './process.ts';
import {parseJob} from './job-slots.ts';

const {SUCCEEDED, FAILED, CANCELLED} = FinishBuildRequest_Outcome;

test('a build is claimed, logged, uploaded and finished, and its job leaves the queue', async t => {
  await using lab = await startBuildLab();
  await using worker = await lab.startWorker();
  void worker;
  const finished = await lab.build();

  t.is(finished.outcome, SUCCEEDED);
  t.is(finished.attempt, 1);
  t.is(finished.image?.inputKey, 'key-of-1');
  const kernel = finished.image?.kernel;
  t.is(lab.blobs.get(kernel?.sha256 ?? '')?.toString(), 'kernel of 1');
  t.true(lab.logLines.includes('working on 1'));
  t.deepEqual(lab.steps.slice(-1), ['upload']);
  await lab.queueEmpty();
});

test('the same input key is not built twice', async t => {
  await using lab = await startBuildLab();
  await using worker = await lab.startWorker();
  void worker;
  await lab.build();
  const second = await lab.build();

  t.is(second.outcome, SUCCEEDED);
  t.true(second.cached);
  t.is(lab.logLines.filter(line => line === 'working on 1').length, 1);
});

test('a request to cancel ends the program that runs', async t => {
  await using lab = await startBuildLab();
  let pid = 0;
  const sleeper = sleepingBackend(running => {
    pid = running;
    lab.cancelRequested = true;
  });
  await using worker = await lab.startWorker({backends: [sleeper]});
  void worker;
  const finished = await lab.build();

  t.is(finished.outcome, CANCELLED);
  await t.notThrowsAsync(lab.processGone(pid));
});

test('a build fails at its time limit', async t => {
  await using lab = await startBuildLab();
  await using worker = await lab.startWorker({
    backends: [sleepingBackend(() => undefined)],
    buildTimeLimitSeconds: 1,
  });
  void worker;
  const finished = await lab.build();

  t.is(finished.outcome, FAILED);
  t.is(finished.error, 'The build took longer than its limit of 1 s');
});

test('a stale attempt stops and drops its job without a result', async t => {
  await using lab = await startBuildLab();
  const stopped = Promise.withResolvers<void>();
  const sleeper = sleepingBackend(() => lab.makeStale(), stopped.resolve);
  await using worker = await lab.startWorker({backends: [sleeper]});
  void worker;
  await lab.queue();
  await stopped.promise;
  await lab.queueEmpty();

  t.is(lab.finished.length, 0);
});

test('a configuration that cannot be built fails with its reason', async t => {
  await using lab = await startBuildLab();
  const refusing: Backend = {
    name: 'debian',
    steps: [],
    findMissing: async () => undefined,
    plan: async () => Promise.reject(new Error('Cannot build this configuration: no')),
  };
  await using worker = await lab.startWorker({backends: [refusing]});
  void worker;
  const finished = await lab.build();

  t.is(finished.outcome, FAILED);
  t.is(finished.error, 'Cannot build this configuration: no');
});

test('what is wrong with a configuration reaches the server with its place', async t => {
  await using lab = await startBuildLab();
  const diagnostics = [
    {kind: Diagnostic_Kind.SYNTAX, message: 'Syntax error: unexpected }', line: 3, column: 7},
    {kind: Diagnostic_Kind.SIZE, message: 'Too large'},
  ];
  const refusing: Backend = {
    name: 'debian',
    steps: [],
    findMissing: async () => undefined,
    plan: async () => Promise.reject(new ConfigurationError(diagnostics)),
  };
  await using worker = await lab.startWorker({backends: [refusing]});
  void worker;
  const finished = await lab.build();

  t.is(finished.error, 'Syntax error: unexpected }; Too large');
  t.like(finished.diagnostics, {length: 2, 0: diagnostics[0], 1: diagnostics[1]});
});

test('a finished build waits for a server that is away', async t => {
  await using lab = await startBuildLab();
  lab.finishFailures = 2;
  await using worker = await lab.startWorker();
  void worker;
  const finished = await lab.build();

  t.is(finished.outcome, SUCCEEDED);
  t.is(lab.finishFailures, 0);
});

test('a builder that is killed in mid-build leaves the work to another one, and no program behind', async t => {
  await using lab = await startBuildLab();
  await lab.queue();
  const first = await lab.startWorkerProcess();
  const pid = await first.programPid;
  first.kill();
  await first.gone;
  await t.notThrowsAsync(lab.processGone(pid));

  await using worker = await lab.startWorker();
  void worker;
  const finished = await lab.nextFinished();
  t.is(finished.outcome, SUCCEEDED);
  t.is(finished.attempt, 2);
});

test('a builder that stops gives its build back at once', async t => {
  await using lab = await startBuildLab({ackWaitSeconds: 60});
  const started = Promise.withResolvers<number>();
  const worker = await lab.startWorker({backends: [sleepingBackend(started.resolve)]});
  await lab.queue();
  await started.promise;
  await worker[Symbol.asyncDispose]();
  await using other = await lab.startWorker();
  void other;

  t.is((await lab.nextFinished()).attempt, 2);
});

test('a job must name a build', t => {
  t.is(parseJob(Buffer.from('{"buildId":"b1"}'), 'buildId'), 'b1');
  for (const text of ['', 'null', '7', '{}', '{"buildId":7}', '{"buildId":""}', '{"buildId"'])
    t.is(parseJob(Buffer.from(text), 'buildId'), undefined, text);
});

/** Runs sleep(1) until it is stopped. `onRunning` gets the process id. */
function sleepingBackend(onRunning: (pid: number) => void, onStopped?: () => void): Backend {
  return {
    name: 'debian',
    steps: [],
    findMissing: async () => undefined,
    plan: async (_, {signal}) => {
      const onLine = (line: string) => onRunning(Number(line));
      await runProgram('sh', ['-c', 'echo $$; exec sleep 600'], {signal, onLine}).finally(() =>
        onStopped?.(),
      );
      throw new Error('sleep ended by itself');
    },
  };
}
