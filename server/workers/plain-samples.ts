import type {Measurements} from '../store/metrics.ts';

type PlainSample = Measurements & {readonly time: Date | undefined};

/** A report of metrics as every agent of ours writes it. */
export type PlainReport = {
  readonly reportId: string;
  readonly machineId: string;
  readonly session: string;
  readonly firstSequence: number;
  readonly samples: readonly PlainSample[];
};

/** As muster.v1.MetricsBatch and Metrics allow. */
const samplesMax = 360;
const sessionLengthMax = 64;
const powerStateLengthMax = 32;
const cpuPercentMax = 100;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const plainTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const plainCount = /^\d{1,15}$/;

/** By name on the wire: the name here, and whether it is a double or a count, which is a text in proto-JSON. */
const fields: ReadonlyMap<string, readonly [keyof Measurements, 'double' | 'signed' | 'count']> =
  new Map([
    ['cpuUsagePercent', ['cpuUsagePercent', 'double']],
    ['memoryUsedBytes', ['memoryUsedBytes', 'count']],
    ['memoryTotalBytes', ['memoryTotalBytes', 'count']],
    ['diskUsedBytes', ['diskUsedBytes', 'count']],
    ['diskTotalBytes', ['diskTotalBytes', 'count']],
    ['networkRxBytes', ['networkRxBytes', 'count']],
    ['networkTxBytes', ['networkTxBytes', 'count']],
    ['loadAverage1', ['load1', 'double']],
    ['loadAverage5', ['load5', 'double']],
    ['loadAverage15', ['load15', 'double']],
    ['temperature', ['temperature', 'signed']],
    ['uptime', ['uptime', 'double']],
  ]);

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
  const {reportId, machineId, metrics} = report;
  if (!isUuid(reportId) || !isUuid(machineId) || !isRecord(metrics)) return undefined;
  const {session, firstSequence, samples, ...others} = metrics;
  const isPlain =
    isText(session, sessionLengthMax) &&
    session !== '' &&
    typeof firstSequence === 'string' &&
    plainCount.test(firstSequence) &&
    Array.isArray(samples) &&
    samples.length <= samplesMax &&
    Object.keys(others).length === 0;
  if (!isPlain) return undefined;
  const read: PlainSample[] = [];
  for (const sample of samples) {
    const plain = readSample(sample);
    if (!plain) return undefined;
    read.push(plain);
  }
  return {reportId, machineId, session, firstSequence: Number(firstSequence), samples: read};
}

const utf8 = new TextDecoder('utf-8', {fatal: true});

function readSample(sample: unknown): PlainSample | undefined {
  if (!isRecord(sample)) return undefined;
  const read: {-readonly [K in keyof PlainSample]: PlainSample[K]} = {time: undefined};
  for (const [name, value] of Object.entries(sample)) {
    if (name === 'time') {
      if (typeof value !== 'string' || !plainTime.test(value)) return undefined;
      const time = new Date(value);
      if (Number.isNaN(time.getTime())) return undefined;
      read.time = time;
    } else if (name === 'powerState') {
      if (!isText(value, powerStateLengthMax)) return undefined;
      read.powerState = value;
    } else {
      const field = fields.get(name);
      const number = field && readNumber(value, field[1]);
      if (!field || number === undefined) return undefined;
      read[field[0]] = number as never;
    }
  }
  return (read.cpuUsagePercent ?? 0) > cpuPercentMax ? undefined : read;
}

function readNumber(value: unknown, type: 'double' | 'signed' | 'count'): number | undefined {
  if (type === 'count')
    return typeof value === 'string' && plainCount.test(value) ? Number(value) : undefined;
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  return isNumber && (value >= 0 || type === 'signed') ? value : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown, lengthMax: number): value is string =>
  typeof value === 'string' &&
  value.length <= lengthMax &&
  value.isWellFormed() &&
  !value.includes('\0');

const isUuid = (value: unknown): value is string => typeof value === 'string' && uuid.test(value);
