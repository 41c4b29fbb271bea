import type {MetricsColumns} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {PackedSamples} from '../domain/metrics.ts';
import type {Devices, Sample} from '../store/metrics.ts';
import {devicesOf} from './device-metrics.ts';

/** As muster.v1.MetricsColumns has them, as message and as proto-JSON. Nothing of it is checked yet. */
export type ReportedColumns = {
  readonly timeMs?: unknown;
  readonly cpuUsagePercent?: unknown;
  readonly memoryUsedBytes?: unknown;
  readonly memoryTotalBytes?: unknown;
  readonly diskUsedBytes?: unknown;
  readonly diskTotalBytes?: unknown;
  readonly networkRxBytes?: unknown;
  readonly networkTxBytes?: unknown;
  readonly loadAverage1?: unknown;
  readonly loadAverage5?: unknown;
  readonly loadAverage15?: unknown;
  readonly temperature?: unknown;
  readonly uptime?: unknown;
};

/** What all samples share, and what devices measured by the place of the sample. */
type Others = {
  readonly powerState: string | undefined;
  readonly devices: ReadonlyMap<number, Devices | undefined>;
};

const samplesMax = 360;
const cpuPercentMax = 100;
/** The last that google.protobuf.Timestamp has. */
const timeMsMax = 253_402_300_799_999;

type Column = readonly number[];
/** Of a field that no sample has. */
const none: Column = [];

export function fromColumnsMessage(message: MetricsColumns): PackedSamples | undefined {
  const devices = Object.entries(message.others).map(
    ([place, metrics]) => [Number(place), devicesOf(metrics)] as const,
  );
  // PostgreSQL has no text with a zero character.
  const powerState = message.powerState?.replaceAll('\0', '\uFFFD');
  return samplesOfColumns(message, {powerState, devices: new Map(devices)});
}

/** Columns as samples. Undefined when they contradict each other or the contract: not one number for each sample, or a count below 0. */
export function samplesOfColumns(
  reported: ReportedColumns,
  {powerState, devices}: Others,
): PackedSamples | undefined {
  const {timeMs} = reported;
  const count = Array.isArray(timeMs) ? timeMs.length : 0;
  const columns = count > 0 && count <= samplesMax ? readColumns(reported, count) : undefined;
  const isOthersOf = (place: number) => place < count;
  if (!columns || !devices.keys().every(isOthersOf)) return undefined;
  return {
    length: count,
    unpack(machineId, toServerMs) {
      const samples: Sample[] = [];
      for (let at = 0; at < count; at++)
        samples.push({
          machineId,
          time: new Date(toServerMs(columns.time[at] ?? 0)),
          cpuUsagePercent: columns.cpu[at],
          memoryUsedBytes: columns.memoryUsed[at],
          memoryTotalBytes: columns.memoryTotal[at],
          diskUsedBytes: columns.diskUsed[at],
          diskTotalBytes: columns.diskTotal[at],
          networkRxBytes: columns.received[at],
          networkTxBytes: columns.sent[at],
          load1: columns.load1[at],
          load5: columns.load5[at],
          load15: columns.load15[at],
          temperature: columns.temperature[at],
          powerState,
          uptime: columns.uptime[at],
          devices: devices.get(at),
        });
      return samples;
    },
  };
}

function readColumns(reported: ReportedColumns, count: number) {
  const time = sumsOf(reported.timeMs, count, timeMsMax);
  const cpu = numbersOf(reported.cpuUsagePercent, count, 0, cpuPercentMax);
  const memoryUsed = sumsOf(reported.memoryUsedBytes, count);
  const memoryTotal = sumsOf(reported.memoryTotalBytes, count);
  const diskUsed = sumsOf(reported.diskUsedBytes, count);
  const diskTotal = sumsOf(reported.diskTotalBytes, count);
  const received = sumsOf(reported.networkRxBytes, count);
  const sent = sumsOf(reported.networkTxBytes, count);
  const load1 = numbersOf(reported.loadAverage1, count, 0);
  const load5 = numbersOf(reported.loadAverage5, count, 0);
  const load15 = numbersOf(reported.loadAverage15, count, 0);
  const temperature = numbersOf(reported.temperature, count);
  const uptime = numbersOf(reported.uptime, count, 0);
  const bytes = memoryUsed &&
    memoryTotal &&
    diskUsed &&
    diskTotal &&
    received &&
    sent && {memoryUsed, memoryTotal, diskUsed, diskTotal, received, sent};
  const others = time &&
    cpu &&
    load1 &&
    load5 &&
    load15 &&
    temperature &&
    uptime && {time, cpu, load1, load5, load15, temperature, uptime};
  return bytes && others && {...bytes, ...others};
}

/** Undefined when they are no column. Of a message an absent field is an empty list. */
function numbersOf(
  values: unknown,
  count: number,
  min: number = -Number.MAX_VALUE,
  max: number = Number.MAX_VALUE,
): Column | undefined {
  if (values === undefined) return none;
  if (!Array.isArray(values)) return undefined;
  if (values.length === 0) return none;
  return values.length === count && areWithin(values, min, max) ? values : undefined;
}

function areWithin(values: readonly unknown[], min: number, max: number): values is Column {
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (typeof value !== 'number' || !(value >= min && value <= max)) return false;
  }
  return true;
}

/** The first, and then what the differences make of it; each a whole number from 0 on. */
function sumsOf(
  differences: unknown,
  count: number,
  max: number = Number.MAX_SAFE_INTEGER,
): Column | undefined {
  const values = numbersOf(differences, count);
  if (!values || values === none) return values;
  const sums: number[] = [];
  let sum = 0;
  for (const value of values) {
    sum += value;
    if (!(Number.isInteger(sum) && sum >= 0 && sum <= max)) return undefined;
    sums.push(sum);
  }
  return sums;
}
