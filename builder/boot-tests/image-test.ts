import {randomBytes} from 'node:crypto';
import {mkdtemp, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {create, toJsonString} from '@bufbuild/protobuf';
import {
  GuestTaskSchema,
  type ImageTest_TestType,
  type ImageTestCheck,
  type ImageTestPlan,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import type {BuiltImage, LocalArtifact} from '../backends/backend.ts';
import {runProgram} from '../process.ts';
import {testMacAddress} from './boot-test.ts';
import {createConsoleTail, createLineReader} from './console.ts';
import {type Monitor, openMonitor} from './monitor.ts';
import {type Accelerator, diskArguments, type Firmware, qemuArguments} from './qemu.ts';
import {createRawLines} from './raw-lines.ts';
import type {Stage} from './stages.ts';
import {startTestRun, type TestRun} from './test-run.ts';
import {startTestServer, type TestServer} from './test-server.ts';

export const screenshotBytesMax = 4 * 1024 * 1024;

export type TestedImage = {
  readonly image: BuiltImage;
  readonly inputKey: string;
  readonly fullDrivers: boolean;
};

export type ImageTestRequest = {
  readonly subject: TestedImage | {readonly disk: LocalArtifact};
  readonly testType: ImageTest_TestType;
  readonly plan: ImageTestPlan;
  readonly firmware: Firmware;
  readonly accelerator: Accelerator;
  readonly timeLimitSeconds: number;
  /** For files of the test; what it makes there, it removes, but for the screenshot. */
  readonly directory: string;
  /** Where the screen goes. */
  readonly screenshot: string;
};

export type ImageTestEnd = {
  readonly firmware: Firmware;
  readonly passed: boolean;
  readonly durationMs: number;
  readonly stage: Stage;
  /** Both only when it failed. */
  readonly failure: string;
  readonly consoleTail: string;
  readonly checks: readonly ImageTestCheck[];
  /** Why there is no screenshot; empty when there is one. */
  readonly screenless: string;
};

type Hooks = {
  readonly signal: AbortSignal;
  /** Of the serial console as it came, cut by raw-lines.ts. */
  readonly onLine: (line: string) => void;
  readonly onStage: (stage: Stage) => void;
};

/** One machine of a test, from power-on to the verdict. Throws only when `signal` aborts or QEMU does not start. */
export async function runImageTest(request: ImageTestRequest, hooks: Hooks): Promise<ImageTestEnd> {
  const {subject, firmware, timeLimitSeconds, testType, plan} = request;
  const nonce = randomBytes(32).toString('base64url');
  const started = performance.now();
  const tail = createConsoleTail();
  const directory = await mkdtemp(path.join(request.directory, 'image-test-'));
  using run = startTestRun({
    testType,
    isDisk: 'disk' in subject,
    nonce,
    inputKey: 'disk' in subject ? '' : subject.inputKey,
    timeLimitSeconds,
    checkTimeLimitSeconds: plan.checkTimeLimitSeconds,
    onStage: hooks.onStage,
  });
  try {
    await using monitor = await openMonitor(run.stopped);
    await using server =
      'disk' in subject ? undefined : await serve(subject, {nonce, testType, plan, run});
    const machine = await argumentsOf(request, {server: server?.value, directory});
    const reader = createReader({tail, run, onLine: hooks.onLine});
    const screenless = await runMachine([...machine, ...monitor.arguments], {
      ...{run, monitor, signal: hooks.signal, screenshot: request.screenshot},
      onOutput: reader.add,
    }).finally(reader.end);
    const failure = run.failure();
    return {
      firmware,
      passed: failure === undefined,
      durationMs: Math.round(performance.now() - started),
      stage: run.stage(),
      failure: failure ?? '',
      consoleTail: failure === undefined ? '' : tail.text(),
      checks: run.checks(),
      screenless,
    };
  } finally {
    await rm(directory, {recursive: true, force: true});
  }
}

/** The console as cleaned lines for the verdict, and as it came for the log. */
function createReader({
  tail,
  run,
  onLine,
}: {
  readonly tail: ReturnType<typeof createConsoleTail>;
  readonly run: TestRun;
  readonly onLine: (line: string) => void;
}) {
  const raw = createRawLines(onLine);
  const clean = createLineReader({
    onLine(line) {
      tail.add(line);
      run.line(line);
    },
    // A prompt has no line end.
    onRest: run.line,
  });
  return {
    add(chunk: Buffer): void {
      raw.add(chunk);
      clean.add(chunk);
    },
    end(): void {
      raw.end();
      clean.end();
    },
  };
}

async function serve(
  {image}: TestedImage,
  {
    nonce,
    testType,
    plan,
    run,
  }: {
    nonce: string;
    testType: ImageTest_TestType;
    plan: ImageTestPlan;
    run: ReturnType<typeof startTestRun>;
  },
): Promise<AsyncDisposable & {readonly value: TestServer & {readonly macAddress: string}}> {
  const macAddress = testMacAddress();
  const server = await startTestServer({
    image,
    nonce,
    macAddress,
    onStage: run.reach,
    onEnroll: run.enrolled,
    guest: {
      task: toJsonString(GuestTaskSchema, create(GuestTaskSchema, {nonce, testType, plan})),
      onAsked: run.asked,
      onReport: run.reported,
    },
  });
  return {
    value: {...server, macAddress},
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function argumentsOf(
  {subject, firmware, accelerator}: ImageTestRequest,
  {
    server,
    directory,
  }: {server: (TestServer & {readonly macAddress: string}) | undefined; directory: string},
): Promise<string[]> {
  const machine = {firmware, accelerator, directory};
  if ('disk' in subject) return diskArguments({...machine, disk: subject.disk.path});
  if (!server) throw new Error('A machine without a disk needs a server');
  return qemuArguments({
    ...machine,
    memoryBytes: subject.image.memoryRequiredBytes,
    networkCard: subject.fullDrivers ? 'e1000e' : 'virtio-net-pci',
    macAddress: server.macAddress,
    scriptUrl: server.scriptUrl,
  });
}

/** Until the verdict, then its screen is taken and it is switched off. Tells why there is no screenshot. */
async function runMachine(
  args: readonly string[],
  {
    run,
    monitor,
    screenshot,
    signal,
    onOutput,
  }: {
    run: ReturnType<typeof startTestRun>;
    monitor: Monitor;
    screenshot: string;
    signal: AbortSignal;
    onOutput: (chunk: Buffer) => void;
  },
): Promise<string> {
  const off = new AbortController();
  let screenless = '';
  const photographed = untilAborted(AbortSignal.any([run.over, signal, off.signal])).then(
    async () => {
      // Whoever cancels wants no picture.
      screenless = signal.aborted ? 'the test was stopped' : await photograph(monitor, screenshot);
      off.abort();
    },
  );
  try {
    await runProgram('qemu-system-x86_64', args, {
      signal: AbortSignal.any([signal, off.signal]),
      onOutput,
    });
    run.stopped();
  } catch (error) {
    if (!off.signal.aborted) throw error;
  } finally {
    off.abort();
    await photographed;
  }
  signal.throwIfAborted();
  return screenless;
}

async function photograph(monitor: Monitor, file: string): Promise<string> {
  try {
    await monitor.screendump(file);
    const {size} = await stat(file);
    if (size <= screenshotBytesMax) return '';
    await rm(file);
    return `it has ${size} bytes, allowed are ${screenshotBytesMax}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), {once: true});
  });
