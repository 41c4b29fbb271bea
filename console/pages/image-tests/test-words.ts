import {
  type ImageTest,
  ImageTest_Status as Status,
  ImageTest_TestType as TestType,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {plural} from '../../ui/format.ts';
import type {Look} from '../../ui/tones.ts';
import {firmwareWord} from '../images/image-words.ts';

const unknown: Look = {word: 'Never run', tone: 'idle', icon: 'dash'};
const looks: Readonly<Record<number, Look>> = {
  [Status.PENDING]: {word: 'Waits', tone: 'idle', icon: 'pending'},
  [Status.RUNNING]: {word: 'Running', tone: 'busy', icon: 'operation'},
  [Status.PASSED]: {word: 'Passed', tone: 'ok', icon: 'check'},
  [Status.FAILED]: {word: 'Failed', tone: 'bad', icon: 'warning'},
  [Status.CANCELLED]: {word: 'Cancelled', tone: 'idle', icon: 'cross'},
  [Status.ERROR]: {word: 'No result', tone: 'warn', icon: 'question'},
};
export const testStatusLook = (status: Status | undefined): Look => looks[status ?? 0] ?? unknown;

/** As the address names them. */
export const statusChoices = [
  {value: '', label: 'All', status: Status.UNSPECIFIED},
  {value: 'pending', label: 'Waiting', status: Status.PENDING},
  {value: 'running', label: 'Running', status: Status.RUNNING},
  {value: 'failed', label: 'Failed', status: Status.FAILED},
  {value: 'passed', label: 'Passed', status: Status.PASSED},
  {value: 'error', label: 'No result', status: Status.ERROR},
  {value: 'cancelled', label: 'Cancelled', status: Status.CANCELLED},
] as const;

export const testTypes = [
  {value: 'boot', type: TestType.BOOT, label: 'Boot', note: 'it starts, with BIOS and UEFI'},
  {
    value: 'hello',
    type: TestType.HELLO,
    label: 'Hello',
    note: 'the agent proves which image it is',
  },
  {value: 'network', type: TestType.NETWORK, label: 'Network', note: 'an address, HTTP, a name'},
  {
    value: 'service',
    type: TestType.SERVICE,
    label: 'Services',
    note: 'units of systemd are active',
  },
  {value: 'script', type: TestType.SCRIPT, label: 'Script', note: 'yours ends with status 0'},
] as const;
export type TypeName = (typeof testTypes)[number]['value'];

export const testTypeWord = (type: TestType): string =>
  testTypes.find(each => each.type === type)?.label ?? 'Test';

export const isOver = ({status}: Pick<ImageTest, 'status'>): boolean =>
  status !== Status.PENDING && status !== Status.RUNNING;

/** "Boot, BIOS and UEFI", "Services sshd.service", "Script disk-layout". */
export function testTitle({testType, firmwares, plan}: ImageTest): string {
  const word = testTypeWord(testType);
  const firmware = firmwares.map(firmwareWord).join(' and ');
  const [unit = '', ...units] = plan?.units ?? [];
  const what =
    testType === TestType.SCRIPT
      ? ` ${plan?.scriptName ?? ''}`
      : unit === ''
        ? ''
        : ` ${unit}${units.length > 0 ? ` and ${plural(units.length, 'more', 'more')}` : ''}`;
  return `${word}${what.trimEnd()}, ${firmware}`;
}

/** "ab12…" of an image, the path of a disk image. */
export const testedImage = ({imageId, imagePath}: ImageTest): string =>
  imageId === '' ? imagePath : imageId.slice(0, 12);
