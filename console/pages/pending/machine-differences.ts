import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {formatBytes, formatDiskBytes} from '../../ui/format.ts';

/** "alone": only one of the two has it, which speaks neither for nor against. */
export type Verdict = 'same' | 'partly' | 'different' | 'alone';
export type Difference = {
  readonly label: string;
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly verdict: Verdict;
};

const aspects: readonly (readonly [label: string, of: (machine: Machine) => readonly string[]])[] =
  [
    ['Serial number', ({serviceTag}) => [serviceTag]],
    ['UUID', ({uuid}) => [uuid]],
    ['MAC addresses', ({macAddress, macAddresses}) => [macAddress, ...macAddresses]],
    ['Model', ({manufacturer, product}) => [`${manufacturer} ${product}`.trim()]],
    ['Processor', ({hardware}) => [hardware?.cpuModel ?? '']],
    ['Threads', ({hardware}) => [count(hardware?.cpuThreads)]],
    ['Memory', ({hardware}) => [hardware?.memoryBytes ? formatBytes(hardware.memoryBytes) : '']],
    [
      'Disks',
      ({hardware}) => [
        hardware?.diskCount ? `${hardware.diskCount}, ${formatDiskBytes(hardware.diskBytes)}` : '',
      ],
    ],
    ['Firmware', ({hardware}) => [hardware?.firmwareMode ?? '']],
    ['Host name', ({hostname}) => [hostname]],
    ['Labels', ({labels}) => Object.entries(labels).map(([key, value]) => `${key}=${value}`)],
    ['Description', ({description}) => [description]],
  ];
const count = (value: number | undefined): string => (value ? String(value) : '');

/** What two records have, side by side; what neither has is left out. What differs comes first. */
export function differencesOf(left: Machine, right: Machine): readonly Difference[] {
  const rows = aspects.map(([label, of]) => {
    const sides = {left: distinct(of(left)), right: distinct(of(right))};
    return {label, ...sides, verdict: verdictOf(sides.left, sides.right)};
  });
  return rows
    .filter(({left, right}) => left.length + right.length > 0)
    .toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

const order: readonly Verdict[] = ['different', 'partly', 'same', 'alone'];
const distinct = (values: readonly string[]) => [...new Set(values.filter(value => value !== ''))];

function verdictOf(left: readonly string[], right: readonly string[]): Verdict {
  if (left.length === 0 || right.length === 0) return 'alone';
  const common = left.filter(value => right.includes(value)).length;
  if (common === 0) return 'different';
  return common === left.length && common === right.length ? 'same' : 'partly';
}
