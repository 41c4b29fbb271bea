import {mkdir, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type ClaimImageTestResponse,
  FinishImageTestRequest_Outcome,
  type FinishImageTestRequestSchema,
  ImageTestPlanSchema,
  type ImageTestResultSchema,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {
  type Artifact,
  BootTest_Firmware,
  type Image,
  Image_Variant,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {create} from '@bufbuild/protobuf';
import type {LocalArtifact} from '../backends/backend.ts';
import {createBoundedLog} from '../boot-tests/console.ts';
import {type ImageTestEnd, runImageTest, type TestedImage} from '../boot-tests/image-test.ts';
import {type Firmware, findMissingForBootTests} from '../boot-tests/qemu.ts';
import {describeArtifact} from '../digests.ts';
import type {Downloads} from '../download.ts';
import type {ImageStore} from '../image-store.ts';
import type {BootTestSettings} from './test-image.ts';

const serialLogBytesMax = 1024 * 1024;
const errorLengthMax = 4096;
/**
 * Before what is said between two machines: whatever the first has left on (colours, a scroll region), off; then a line below its screen.
 * ECMA-48 CUP and DEC's DECSTR and IND.
 */
const belowScreen = '\u001b[!p\u001b[999;1H\u001bD';

export type ImageTestDeps = {
  readonly downloads: Downloads;
  readonly imageStore: ImageStore;
  readonly settings: BootTestSettings;
};

/** FinishImageTestRequest without what names the attempt. */
export type ImageTestResult = Omit<
  MessageInitShape<typeof FinishImageTestRequestSchema>,
  'imageTestId' | 'attempt' | '$typeName'
>;

export type ImageTestContext = {
  readonly signal: AbortSignal;
  /** A line of the serial console with its control sequences, or about the test. */
  readonly log: (line: string) => void;
  readonly stage: (stage: string) => void;
};

const names: Readonly<Record<Firmware, string>> = {bios: 'BIOS', uefi: 'UEFI'};
const numbers: Readonly<Record<Firmware, BootTest_Firmware>> = {
  bios: BootTest_Firmware.BIOS,
  uefi: BootTest_Firmware.UEFI,
};

/**
 * Runs one test: a machine for each firmware, until one fails. What is wrong with the image becomes a failed result, what kept the test from being
 * carried out an error; throws only when the signal aborts.
 *
 * @param directory is emptied before and removed afterwards.
 */
export async function carryOutImageTest(
  deps: ImageTestDeps,
  claim: ClaimImageTestResponse,
  {directory, context}: {directory: string; context: ImageTestContext},
): Promise<ImageTestResult> {
  await rm(directory, {recursive: true, force: true});
  await mkdir(directory, {recursive: true});
  try {
    return await attempt(deps, claim, {directory, context});
  } catch (error) {
    context.signal.throwIfAborted();
    const text = error instanceof Error ? error.message : String(error);
    return {outcome: FinishImageTestRequest_Outcome.ERROR, error: text.slice(0, errorLengthMax)};
  } finally {
    await rm(directory, {recursive: true, force: true});
  }
}

async function attempt(
  {downloads, imageStore, settings}: ImageTestDeps,
  claim: ClaimImageTestResponse,
  {directory, context}: {directory: string; context: ImageTestContext},
): Promise<ImageTestResult> {
  const {signal} = context;
  const plan = claim.plan ?? create(ImageTestPlanSchema);
  const missing = await findMissingForBootTests(claim.firmwares.map(firmwareOf));
  if (missing) throw new Error(missing);
  const subject = await fetchSubject(downloads, claim, signal);
  const serial = createBoundedLog(serialLogBytesMax);
  const note = (line: string) => {
    serial.add(line);
    context.log(line);
  };
  const screenshot = path.join(directory, 'screen.png');
  const ends: ImageTestEnd[] = [];
  for (const firmware of claim.firmwares.map(firmwareOf)) {
    const timeLimitSeconds = plan.timeLimitSeconds || settings.timeLimitSeconds;
    note(`== ${names[firmware]}: at most ${timeLimitSeconds} s with ${settings.accelerator}`);
    await rm(screenshot, {force: true});
    const {accelerator} = settings;
    const test = {subject, testType: claim.testType, plan, firmware, accelerator, timeLimitSeconds};
    const hooks = {signal, onLine: note, onStage: context.stage};
    const end = await runImageTest({...test, directory, screenshot}, hooks);
    ends.push(end);
    note(`${belowScreen}== ${names[firmware]}: ${describeEnd(end)}`);
    if (!end.passed) break;
  }
  const files = {
    screenshot: await keep(imageStore, {file: screenshot, name: 'screen.png'}, signal),
    serialLog: await keepText(imageStore, {directory, text: serial.text()}, signal),
  };
  return {...resultOf(ends), ...definedOf(files)};
}

async function fetchSubject(
  downloads: Downloads,
  {image, disk}: ClaimImageTestResponse,
  signal: AbortSignal,
): Promise<TestedImage | {readonly disk: LocalArtifact}> {
  if (disk) return {disk: await downloads.fetch(wantedOf(disk), 'disk', signal)};
  if (!image?.kernel) throw new Error('The server gave a test without an image');
  return fetchImage(downloads, {image, kernel: image.kernel}, signal);
}

async function fetchImage(
  downloads: Downloads,
  {image, kernel}: {image: Image; kernel: Artifact},
  signal: AbortSignal,
): Promise<TestedImage> {
  const one = (artifact: Artifact) => downloads.fetch(wantedOf(artifact), 'file', signal);
  const all = async (artifacts: readonly Artifact[]) => {
    const found: LocalArtifact[] = [];
    for (const artifact of artifacts) found.push(await one(artifact));
    return found;
  };
  return {
    image: {
      kernel: await one(kernel),
      initrds: await all(image.initrds),
      layers: await all(image.layers),
      commandLine: image.commandLine,
      memoryRequiredBytes: Number(image.memoryRequiredBytes),
      bootTestSha256s: [],
    },
    inputKey: image.inputKey,
    fullDrivers: image.variant !== Image_Variant.VIRTUAL,
  };
}

const wantedOf = ({name, sha256, sizeBytes}: Artifact) => ({
  name,
  sha256,
  sizeBytes: Number(sizeBytes),
});

function firmwareOf(number: BootTest_Firmware): Firmware {
  return number === BootTest_Firmware.UEFI ? 'uefi' : 'bios';
}

function describeEnd({passed, durationMs, failure, screenless}: ImageTestEnd): string {
  const time = `${(durationMs / 1000).toFixed(1)} s`;
  const verdict = passed ? `passed in ${time}` : `failed after ${time}: ${failure}`;
  return screenless === '' ? verdict : `${verdict} (no screenshot: ${screenless})`;
}

function resultOf(ends: readonly ImageTestEnd[]): ImageTestResult {
  const results = ends.map(
    ({
      firmware,
      checks,
      screenless: _screenless,
      ...end
    }): MessageInitShape<typeof ImageTestResultSchema> => ({
      ...end,
      failure: end.failure.slice(0, errorLengthMax),
      firmware: numbers[firmware],
      checks: [...checks],
    }),
  );
  const failed = ends.find(({passed}) => !passed);
  if (!failed) return {outcome: FinishImageTestRequest_Outcome.PASSED, results};
  const error = `Under ${names[failed.firmware]}: ${failed.failure}`.slice(0, errorLengthMax);
  return {outcome: FinishImageTestRequest_Outcome.FAILED, results, error};
}

type Stored = {readonly name: string; readonly sha256: string; readonly sizeBytes: bigint};

/** Undefined when there is no such file. */
async function keep(
  imageStore: ImageStore,
  {file, name}: {file: string; name: string},
  signal: AbortSignal,
): Promise<Stored | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (!found || found.size === 0) return undefined;
  const artifact = await describeArtifact(name, file);
  await imageStore.upload(artifact, signal);
  return {name, sha256: artifact.sha256, sizeBytes: BigInt(artifact.sizeBytes)};
}

async function keepText(
  imageStore: ImageStore,
  {directory, text}: {directory: string; text: string},
  signal: AbortSignal,
): Promise<Stored | undefined> {
  const file = path.join(directory, 'serial.log');
  await writeFile(file, text);
  return keep(imageStore, {file, name: 'serial.log'}, signal);
}

const definedOf = (files: {screenshot: Stored | undefined; serialLog: Stored | undefined}) => ({
  ...(files.screenshot && {screenshot: files.screenshot}),
  ...(files.serialLog && {serialLog: files.serialLog}),
});
