import type {Measurements} from '../store/metrics.ts';

/** What was measured at a time, by name: "load1", "interface/rx_bytes/eth0". */
export type Point = {readonly timeMs: number; readonly values: ReadonlyMap<string, number>};

const numbers = [
  'cpuUsagePercent',
  'memoryUsedBytes',
  'memoryTotalBytes',
  'diskUsedBytes',
  'diskTotalBytes',
  'networkRxBytes',
  'networkTxBytes',
  'load1',
  'load5',
  'load15',
  'temperature',
  'uptime',
] as const satisfies readonly (keyof Measurements)[];
const isNumber: ReadonlySet<string> = new Set(numbers);
const powerStatePrefix = 'powerState/';

export function toPoint(sample: Measurements & {readonly time: Date}): Point {
  const values = new Map<string, number>();
  for (const name of numbers) {
    const value = sample[name];
    if (value !== undefined) values.set(name, value);
  }
  if (sample.powerState !== undefined) values.set(powerStatePrefix + sample.powerState, 1);
  for (const [name, value] of Object.entries(sample.devices ?? {})) values.set(name, value);
  return {timeMs: sample.time.getTime(), values};
}

export function fromPoint({timeMs, values}: Point): Measurements & {readonly time: Date} {
  const plain: Record<string, number | string> = {};
  const devices: Record<string, number> = {};
  for (const [name, value] of values) {
    if (isNumber.has(name)) plain[name] = value;
    else if (name.startsWith(powerStatePrefix))
      plain['powerState'] = name.slice(powerStatePrefix.length);
    else devices[name] = value;
  }
  const time = new Date(timeMs);
  return Object.keys(devices).length > 0 ? {time, ...plain, devices} : {time, ...plain};
}
