import type {MetricsColumnsJson, MetricsJson} from '@muster/proto/gen/muster/v1/metrics_pb.ts';

/** The first, then differences: most of them are short. */
const counts = [
  'memoryUsedBytes',
  'memoryTotalBytes',
  'diskUsedBytes',
  'diskTotalBytes',
  'networkRxBytes',
  'networkTxBytes',
] as const satisfies readonly (keyof MetricsColumnsJson)[];
const numbers = [
  'cpuUsagePercent',
  'loadAverage1',
  'loadAverage5',
  'loadAverage15',
  'temperature',
  'uptime',
] as const satisfies readonly (keyof MetricsColumnsJson)[];
const columnNames: ReadonlySet<string> = new Set(['time', 'powerState', ...counts, ...numbers]);

export type Columns = Omit<MetricsColumnsJson, 'session' | 'firstSequence'>;

/**
 * Samples as columns: a quarter of the bytes, and of the server's work. Undefined when there is nothing to gain, or when they are not alike: a column
 * has a number of every sample.
 */
export function toColumns(samples: readonly MetricsJson[]): Columns | undefined {
  if (samples.length < 2) return undefined;
  const times = wholesOf(
    samples.map(({time}) => (time === undefined ? undefined : Date.parse(time))),
  );
  if (!times || times.length === 0) return undefined;
  const columns: Columns = {timeMs: times};
  for (const name of counts) {
    const column = wholesOf(samples.map(sample => toNumber(sample[name])));
    if (!column) return undefined;
    if (column.length > 0) columns[name] = column;
  }
  for (const name of numbers) {
    const column = alike(samples.map(sample => toNumber(sample[name])));
    if (!column) return undefined;
    if (column.length > 0) columns[name] = column;
  }
  const powerState = samples[0]?.powerState;
  if (samples.some(sample => sample.powerState !== powerState)) return undefined;
  if (powerState !== undefined) columns.powerState = powerState;
  const others = othersOf(samples);
  if (Object.keys(others).length > 0) columns.others = others;
  return columns;
}

/** Empty when none of the samples has it, undefined when only some have. */
function alike(values: readonly (number | undefined)[]): number[] | undefined {
  const known = values.filter(value => value !== undefined);
  if (known.length > 0 && known.length < values.length) return undefined;
  return known.every(Number.isFinite) ? known : undefined;
}

function wholesOf(values: readonly (number | undefined)[]): number[] | undefined {
  const known = alike(values);
  if (!known?.every(value => Number.isSafeInteger(value) && value >= 0)) return undefined;
  return known.map((value, at) => value - (known[at - 1] ?? 0));
}

const toNumber = (value: string | number | undefined): number | undefined =>
  value === undefined ? undefined : Number(value);

function othersOf(samples: readonly MetricsJson[]): Record<string, MetricsJson> {
  const others: Record<string, MetricsJson> = {};
  for (const [place, sample] of samples.entries()) {
    const own = Object.entries(sample).filter(([name]) => !columnNames.has(name));
    if (own.length > 0) others[place] = Object.fromEntries(own);
  }
  return others;
}
