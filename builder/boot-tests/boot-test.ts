import {randomBytes} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import path from 'node:path';
import type {BuiltImage} from '../backends/backend.ts';
import {runProgram} from '../process.ts';
import {createConsoleTail} from './console.ts';
import {type Accelerator, type Firmware, qemuArguments} from './qemu.ts';
import {describeStage, isFatalLine, laterStage, type Stage, stageOfLine} from './stages.ts';
import {startTestServer} from './test-server.ts';

export type BootTestResult = {
  readonly firmware: Firmware;
  readonly passed: boolean;
  readonly durationMs: number;
  /** Both only when it failed. */
  readonly consoleTail: string;
  readonly failure: string;
};

export type BootTestRequest = {
  readonly image: BuiltImage;
  readonly inputKey: string;
  /** Whether the image carries drivers for real hardware: it is then tested with an Intel network card. */
  readonly fullDrivers: boolean;
  readonly firmware: Firmware;
  readonly accelerator: Accelerator;
  readonly timeLimitSeconds: number;
  /** For files of the test; what it makes there, it removes. */
  readonly directory: string;
};

const firmwareNames: Readonly<Record<Firmware, string>> = {bios: 'BIOS', uefi: 'UEFI'};

/**
 * Boots the image in QEMU. It passes when the agent inside sends back the nonce of this test's boot.json and the image's input key in time.
 * Throws only when `signal` aborts or QEMU does not start.
 */
export async function runBootTest(
  request: BootTestRequest,
  {signal, log}: {signal: AbortSignal; log: (line: string) => void},
): Promise<BootTestResult> {
  const {image, inputKey, firmware, timeLimitSeconds} = request;
  const nonce = randomBytes(32).toString('base64url');
  const macAddress = testMacAddress();
  const tail = createConsoleTail();
  const started = performance.now();
  const over = new AbortController();
  let stage: Stage = 'power-on';
  let failure: string | undefined;

  const end = (reason: string | undefined) => {
    if (over.signal.aborted) return;
    failure = reason;
    over.abort();
  };
  const reach = (reached: Stage) => {
    if (laterStage(stage, reached) === stage) return;
    stage = reached;
    log(`Boot test ${firmwareNames[firmware]}: ${stage} after ${elapsedSeconds(started)} s`);
  };
  const timer = setTimeout(
    () => end(`it did not enrol within ${timeLimitSeconds} s; ${describeStage(stage)}`),
    timeLimitSeconds * 1000,
  );

  const directory = await mkdtemp(path.join(request.directory, 'boot-test-'));
  try {
    await using server = await startTestServer({
      image,
      nonce,
      macAddress,
      onStage: reach,
      onEnroll: enrolment => end(checkEnrolment(enrolment, {nonce, inputKey})),
    });
    const args = await qemuArguments({
      firmware,
      accelerator: request.accelerator,
      memoryBytes: image.memoryRequiredBytes,
      networkCard: request.fullDrivers ? 'e1000e' : 'virtio-net-pci',
      macAddress,
      scriptUrl: server.scriptUrl,
      directory,
    });
    const onLine = (line: string) => {
      tail.add(line);
      const reached = stageOfLine(line);
      if (reached) reach(reached);
      if (isFatalLine(line)) end(`the console said "${line.trim().slice(0, 200)}"`);
    };
    await runProgram('qemu-system-x86_64', args, {
      signal: AbortSignal.any([signal, over.signal]),
      onLine,
    }).catch((error: unknown) => {
      if (!over.signal.aborted) throw error;
    });
    end(`the machine powered itself off; ${describeStage(stage)}`);
  } finally {
    clearTimeout(timer);
    await rm(directory, {recursive: true, force: true});
  }
  signal.throwIfAborted();
  return {
    firmware,
    passed: failure === undefined,
    durationMs: Math.round(performance.now() - started),
    consoleTail: failure === undefined ? '' : tail.text(),
    failure:
      failure === undefined ? '' : `Boot test under ${firmwareNames[firmware]} failed: ${failure}`,
  };
}

/** Undefined when this is the image and the boot that the test is about. */
export function checkEnrolment(
  enrolment: {readonly bootToken: string; readonly imageInputKey: string},
  expected: {readonly nonce: string; readonly inputKey: string},
): string | undefined {
  if (enrolment.bootToken !== expected.nonce)
    return 'the agent presented another token than the boot.json of this test holds';
  if (enrolment.imageInputKey !== expected.inputKey)
    return `the agent reports the input key "${enrolment.imageInputKey}", the image's is "${expected.inputKey}"`;
  return undefined;
}

/** Locally administered, in QEMU's range. */
export const testMacAddress = (): string =>
  `52:54:00:${[...randomBytes(3)].map(byte => byte.toString(16).padStart(2, '0')).join(':')}`;

const elapsedSeconds = (startedMs: number): string =>
  ((performance.now() - startedMs) / 1000).toFixed(1);
