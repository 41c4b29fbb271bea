import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type ImportedRecord,
  ImportedRecordSchema,
  type ImportedSample,
  ImportedSampleSchema,
} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {MetricsSchema} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {originIdPattern} from './metal-enrollment-machines.ts';
import {type Json, parseTime} from './metal-enrollment-values.ts';
import type {Row} from './source.ts';

const titleCharactersMax = 256;
const detailsCharactersMax = 262_144;
/** Of each text in the details: a log ends with what matters. */
const textCharactersMax = 65_536;

/** A table of things that happened to machines. */
export type HistoryTable = {
  readonly table: string;
  /** As people call its rows. */
  readonly noun: string;
  readonly kind: string;
  readonly columns: readonly string[];
  readonly title: (row: Row) => string;
};

export const historyTables: readonly HistoryTable[] = [
  {
    table: 'builds',
    noun: 'builds',
    kind: 'build',
    columns: ['status', 'error', 'artifact_url', 'completed_at', 'config', 'log_output'],
    title: ({status}) => `Build: ${status ?? 'unknown'}`,
  },
  {
    table: 'machine_events',
    noun: 'events',
    kind: 'event',
    columns: ['event', 'created_by', 'data'],
    title: ({event}) => event ?? 'event',
  },
  {
    table: 'power_operations',
    noun: 'power operations',
    kind: 'power',
    columns: ['operation', 'status', 'result', 'error', 'initiated_by', 'completed_at'],
    title: ({operation, status}) => `Power ${operation ?? '?'}: ${status ?? 'unknown'}`,
  },
  {
    table: 'image_tests',
    noun: 'image tests',
    kind: 'image_test',
    columns: ['image_path', 'image_type', 'test_type', 'status', 'result', 'error', 'completed_at'],
    title: ({test_type: type, status}) => `Image test ${type ?? '?'}: ${status ?? 'unknown'}`,
  },
];

/** Or why not. */
export function readRecord(
  {kind, columns, title}: HistoryTable,
  row: Row,
): ImportedRecord | string {
  const {id = '', machine_id: machineOriginId = ''} = row;
  if (!originIdPattern.test(id)) return 'Its id is none';
  const time = parseTime(row.created_at);
  if (!time) return `Its time ${JSON.stringify((row.created_at ?? '').slice(0, 64))} is none`;
  const details = Object.fromEntries(
    columns.filter(name => row[name]).map(name => [name, clean(row[name] ?? '')]),
  );
  return create(ImportedRecordSchema, {
    originId: id,
    kind,
    machineOriginId,
    time: timestampFromDate(time),
    title: clean(title(row)).slice(0, titleCharactersMax).toWellFormed(),
    details: toDetails(details),
  });
}

/** The inventory as the registration image had it: Muster's own begins with the first report of an agent. */
export function readHardwareRecord(row: Row, hardware: Json): ImportedRecord | string {
  const time = parseTime(row.updated_at) ?? parseTime(row.enrolled_at);
  if (!time) return 'its hardware has no time';
  const details = JSON.stringify(hardware).toWellFormed();
  if (details.length > detailsCharactersMax)
    return `its hardware has more than ${detailsCharactersMax} characters`;
  return create(ImportedRecordSchema, {
    originId: row.id ?? '',
    kind: 'hardware',
    machineOriginId: row.id ?? '',
    time: timestampFromDate(time),
    title: 'Hardware as it was reported',
    details,
  });
}

/** Escapes may make it six times as long: then the texts give way, from their beginning. */
function toDetails(texts: Readonly<Record<string, string>>): string {
  for (let max = textCharactersMax; ; max = Math.floor(max / 2)) {
    const cut = Object.entries(texts).map(([name, text]) => [
      name,
      text.length > max ? `…${text.slice(-max)}`.toWellFormed() : text,
    ]);
    const json = JSON.stringify(Object.fromEntries(cut));
    if (json.length <= detailsCharactersMax) return json;
  }
}

/** PostgreSQL has no text with a zero character. */
const clean = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed();

export const metricsColumns = [
  'cpu_usage_percent',
  'memory_used_bytes',
  'memory_total_bytes',
  'disk_used_bytes',
  'disk_total_bytes',
  'network_rx_bytes',
  'network_tx_bytes',
  'load_average_1',
  'load_average_5',
  'load_average_15',
  'temperature',
  'power_state',
  'uptime',
] as const;

/** Or why not. A value that cannot be is absent: it was misread. */
export function readSample(row: Row): ImportedSample | string {
  const time = parseTime(row.timestamp);
  if (!time) return `Its time ${JSON.stringify((row.timestamp ?? '').slice(0, 64))} is none`;
  const init = {
    time: timestampFromDate(time),
    cpuUsagePercent: numberOf(row.cpu_usage_percent, {min: 0, max: 100}),
    memoryUsedBytes: bytesOf(row.memory_used_bytes),
    memoryTotalBytes: bytesOf(row.memory_total_bytes),
    diskUsedBytes: bytesOf(row.disk_used_bytes),
    diskTotalBytes: bytesOf(row.disk_total_bytes),
    networkRxBytes: bytesOf(row.network_rx_bytes),
    networkTxBytes: bytesOf(row.network_tx_bytes),
    loadAverage1: numberOf(row.load_average_1, {min: 0}),
    loadAverage5: numberOf(row.load_average_5, {min: 0}),
    loadAverage15: numberOf(row.load_average_15, {min: 0}),
    temperature: numberOf(row.temperature, {}),
    powerState: row.power_state && clean(row.power_state).slice(0, 32),
    uptime: numberOf(row.uptime, {min: 0}),
  };
  const known = Object.fromEntries(Object.entries(init).filter(([, value]) => value !== undefined));
  return create(ImportedSampleSchema, {
    machineOriginId: row.machine_id ?? '',
    metrics: create(MetricsSchema, known),
  });
}

function numberOf(
  text: string | undefined,
  {min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY}: {min?: number; max?: number},
): number | undefined {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= min && value <= max ? value : undefined;
}

const bytesOf = (text: string | undefined): bigint | undefined =>
  text !== undefined && /^\d{1,16}$/.test(text) ? BigInt(text) : undefined;
