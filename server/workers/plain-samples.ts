import {devicesOf} from '../rpc/device-metrics.ts';
import type {MetricsReport} from '../domain/metrics.ts';
import {type ReportedColumns, samplesOfColumns} from '../rpc/metrics-columns.ts';
import type {Devices, Measurements} from '../store/metrics.ts';
import {parseMetrics} from './parse-report.ts';

type PlainSample = Measurements & {readonly time: Date | undefined};

/** A report of metrics as every agent of ours writes it. */
export type PlainReport = Omit<MetricsReport, 'receiveTime'> & {readonly reportId: string};

/** As muster.v1.MetricsBatch and Metrics allow. */
const samplesMax = 360;
const sessionLengthMax = 64;
const powerStateLengthMax = 32;
const cpuPercentMax = 100;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const plainTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const plainCount = /^\d{1,15}$/;
const plainPlace = /^(0|[1-9]\d{0,2})$/;

/** The same in rows and in columns. */
const measured = [
  'cpuUsagePercent',
  'memoryUsedBytes',
  'memoryTotalBytes',
  'diskUsedBytes',
  'diskTotalBytes',
  'networkRxBytes',
  'networkTxBytes',
  'loadAverage1',
  'loadAverage5',
  'loadAverage15',
  'temperature',
  'uptime',
] as const satisfies readonly (keyof ReportedColumns)[];
const fieldNames: ReadonlySet<string> = new Set(['time', 'powerState', ...measured]);
const columnNames: ReadonlySet<string> = new Set(['timeMs', ...measured]);
/** In place of a value that is not plain. */
const bad = Number.NaN;

/**
 * Reads the report that nearly all are: plain samples, spelled as our agents spell them. Five times as fast as by the descriptors, which is most of
 * what a sample costs the server. Undefined for any other, right or wrong: the contract decides about those.
 */
export function readPlainReport(data: Uint8Array): PlainReport | undefined {
  let report: unknown;
  try {
    report = JSON.parse(utf8.decode(data));
  } catch {
    return undefined;
  }
  if (!isRecord(report) || Object.keys(report).length !== 3) return undefined;
  const {reportId, machineId, metrics, metricsColumns} = report;
  if (!isUuid(reportId) || !isUuid(machineId)) return undefined;
  const batch = metrics === undefined ? readColumns(metricsColumns) : readRows(metrics);
  return batch && {reportId, machineId, ...batch};
}

type PlainBatch = Omit<PlainReport, 'reportId' | 'machineId'>;

function readRows(metrics: unknown): PlainBatch | undefined {
  if (!isRecord(metrics)) return undefined;
  const {session, firstSequence, samples, ...others} = metrics;
  if (!isSession(session) || !isSequence(firstSequence)) return undefined;
  const areSamples = Array.isArray(samples) && samples.length <= samplesMax;
  if (!areSamples || Object.keys(others).length > 0) return undefined;
  const read: PlainSample[] = [];
  for (const sample of samples) {
    const plain = readSample(sample);
    if (!plain) return undefined;
    read.push(plain);
  }
  return {session, firstSequence: Number(firstSequence), samples: read};
}

/** What devices measured is left to the contract: it comes with one sample of six. */
function readColumns(batch: unknown): PlainBatch | undefined {
  if (!isRecord(batch)) return undefined;
  const {session, firstSequence, powerState, others, ...columns} = batch;
  if (!isSession(session) || !isSequence(firstSequence)) return undefined;
  if (powerState !== undefined && !isText(powerState, powerStateLengthMax)) return undefined;
  for (const name of Object.keys(columns)) if (!columnNames.has(name)) return undefined;
  const devices = readOthers(others);
  const samples = devices && samplesOfColumns(columns, {powerState, devices});
  return samples && {session, firstSequence: Number(firstSequence), samples};
}

const nothing: ReadonlyMap<number, Devices | undefined> = new Map();

function readOthers(others: unknown): ReadonlyMap<number, Devices | undefined> | undefined {
  if (others === undefined) return nothing;
  if (!isRecord(others)) return undefined;
  const devices = new Map<number, Devices | undefined>();
  for (const [place, sample] of Object.entries(others)) {
    const metrics = plainPlace.test(place) ? parseMetrics(sample) : undefined;
    if (!metrics) return undefined;
    devices.set(Number(place), devicesOf(metrics));
  }
  return devices;
}

const utf8 = new TextDecoder('utf-8', {fatal: true});

/** Every sample in one shape, field by field: three times as fast as by a table. */
function readSample(sample: unknown): PlainSample | undefined {
  if (!isRecord(sample)) return undefined;
  for (const name of Object.keys(sample)) if (!fieldNames.has(name)) return undefined;
  const {time, powerState} = sample;
  if (time !== undefined && (typeof time !== 'string' || !plainTime.test(time))) return undefined;
  if (powerState !== undefined && !isText(powerState, powerStateLengthMax)) return undefined;
  const read = {
    time: time === undefined ? undefined : new Date(time),
    cpuUsagePercent: doubleOf(sample.cpuUsagePercent),
    memoryUsedBytes: countOf(sample.memoryUsedBytes),
    memoryTotalBytes: countOf(sample.memoryTotalBytes),
    diskUsedBytes: countOf(sample.diskUsedBytes),
    diskTotalBytes: countOf(sample.diskTotalBytes),
    networkRxBytes: countOf(sample.networkRxBytes),
    networkTxBytes: countOf(sample.networkTxBytes),
    load1: doubleOf(sample.loadAverage1),
    load5: doubleOf(sample.loadAverage5),
    load15: doubleOf(sample.loadAverage15),
    temperature: signedOf(sample.temperature),
    powerState,
    uptime: doubleOf(sample.uptime),
  };
  return isPlain(read) && (read.cpuUsagePercent ?? 0) <= cpuPercentMax ? read : undefined;
}

function isPlain(read: PlainSample): boolean {
  const {time, cpuUsagePercent, load1, load5, load15, temperature, uptime} = read;
  const {memoryUsedBytes, memoryTotalBytes, diskUsedBytes, diskTotalBytes} = read;
  const {networkRxBytes, networkTxBytes} = read;
  const anyBad =
    isBad(time?.getTime()) ||
    isBad(cpuUsagePercent) ||
    isBad(load1) ||
    isBad(load5) ||
    isBad(load15) ||
    isBad(temperature) ||
    isBad(uptime) ||
    isBad(memoryUsedBytes) ||
    isBad(memoryTotalBytes) ||
    isBad(diskUsedBytes) ||
    isBad(diskTotalBytes) ||
    isBad(networkRxBytes) ||
    isBad(networkTxBytes);
  return !anyBad;
}

const isBad = (value: number | undefined): boolean => Number.isNaN(value);

function signedOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : bad;
}

function doubleOf(value: unknown): number | undefined {
  const number = signedOf(value);
  return number !== undefined && number < 0 ? bad : number;
}

/** A text in proto-JSON. */
function countOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' && plainCount.test(value) ? Number(value) : bad;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown, lengthMax: number): value is string =>
  typeof value === 'string' &&
  value.length <= lengthMax &&
  value.isWellFormed() &&
  !value.includes('\0');

const isSession = (value: unknown): value is string =>
  isText(value, sessionLengthMax) && value !== '';

const isSequence = (value: unknown): value is string =>
  typeof value === 'string' && plainCount.test(value);

const isUuid = (value: unknown): value is string => typeof value === 'string' && uuid.test(value);
