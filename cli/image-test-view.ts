import {BootTest_FirmwareSchema} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  type ImageTest,
  ImageTest_Status,
  ImageTest_StatusSchema,
  ImageTest_TestTypeSchema,
  type ImageTestResult,
  type WatchImageTestResponse,
  WatchImageTestResponseSchema,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {CommandError} from './exit-status.ts';
import {clock, nameOf, type Output} from './output.ts';

/** "boot-bios boot-uefi", "service:sshd.service"; of a script without a name its type. */
export const nameOfTest = ({names, testType}: ImageTest): string =>
  names.join(' ') || nameOf(ImageTest_TestTypeSchema, testType).toLowerCase();

// Control sequences (CSI), operating system commands (OSC), other escapes, and all control characters but the tab.
const steering =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** A line of a serial console without what would steer the terminal of whoever reads it. Of what was written over, the last writing. */
export const consoleLine = (line: string): string =>
  line
    .split('\r')
    .map(written => written.replaceAll(steering, ''))
    .findLast(written => written.trim() !== '') ?? '';

const seconds = (durationMs: number): string =>
  durationMs === 0 ? '' : `${(durationMs / 1000).toFixed(1)} s`;

export function describeTest(out: Output, test: ImageTest): void {
  out.record({
    id: test.id,
    test: nameOfTest(test),
    image: test.imagePath,
    machine: test.machineId,
    status: nameOf(ImageTest_StatusSchema, test.status),
    stage: test.status === ImageTest_Status.RUNNING ? test.stage : '',
    failure: test.failure,
    'next step': test.nextStep,
    'asked by': test.actor,
    attempt: test.attempt > 1 ? String(test.attempt) : '',
    created: clock(test.createTime),
    ended: clock(test.endTime),
    took: seconds(test.durationMs),
    screenshot: test.screenshot?.sha256 ?? '',
    'serial log': test.serialLog?.sha256 ?? '',
  });
  for (const result of test.results) describeResult(out, result);
}

function describeResult(out: Output, result: ImageTestResult): void {
  const firmware = nameOf(BootTest_FirmwareSchema, result.firmware);
  const verdict = result.passed ? 'passed' : `failed: ${result.failure}`;
  out.line('');
  out.line(`${firmware}: ${verdict} (${seconds(result.durationMs)}, as far as "${result.stage}")`);
  for (const {name, passed, detail, output} of result.checks) {
    out.line(`  ${passed ? 'passed' : 'failed'}  ${name}  ${detail}`);
    for (const line of output === '' ? [] : output.trimEnd().split('\n')) out.line(`    ${line}`);
  }
  if (result.consoleTail === '') return;
  out.line('  the last of the serial console:');
  for (const line of result.consoleTail.split('\n').slice(-15)) out.line(`    ${line}`);
}

/** "hello passed"; of an image, in one line. */
export const describeOutcome = (test: ImageTest): string =>
  `${nameOfTest(test)}: ${nameOf(ImageTest_StatusSchema, test.status).toLowerCase()} (${test.id})${test.failure ? `: ${test.failure}` : ''}`;

/** Shows a test until it is over. Throws when it did not pass. */
export async function followTest(
  updates: AsyncIterable<WatchImageTestResponse>,
  out: Output,
): Promise<void> {
  let last: ImageTest | undefined;
  for await (const message of updates) {
    const {update} = message;
    if (out.json) out.jsonLine(WatchImageTestResponseSchema, message);
    else if (update.case === 'log')
      for (const line of update.value.lines) out.line(consoleLine(line));
    if (update.case !== 'imageTest') continue;
    last = update.value;
    const stage = last.stage ? `: ${last.stage}` : '';
    if (!out.json) out.progress(`${nameOf(ImageTest_StatusSchema, last.status)}${stage}`);
  }
  if (!last) throw new CommandError('The stream ended before it said anything: try again');
  if (!out.json) describeTest(out, last);
  if (last.status === ImageTest_Status.PASSED) return;
  const status = nameOf(ImageTest_StatusSchema, last.status).toLowerCase();
  throw new CommandError(`Test ${last.id} is ${status}${last.failure ? `: ${last.failure}` : ''}`);
}
