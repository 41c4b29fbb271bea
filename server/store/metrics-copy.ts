import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {Sql} from './db.ts';
import type {Sample} from './metrics.ts';

// The binary format of COPY (PostgreSQL's documentation, "COPY", "Binary Format").
const signature = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const end = Buffer.from([0xff, 0xff]);
/** PostgreSQL counts from 2000. */
const epochMs = Date.UTC(2000, 0, 1);
const rowsPerWrite = 500;
/** Of a row without its texts, at most. */
const rowBytesMax = 256;
const textBytesPerCharacterMax = 3;

const floats = [
  'cpuUsagePercent',
  'load1',
  'load5',
  'load15',
  'temperature',
  'uptime',
] as const satisfies readonly (keyof Sample)[];
const counters = [
  'memoryUsedBytes',
  'memoryTotalBytes',
  'diskUsedBytes',
  'diskTotalBytes',
  'networkRxBytes',
  'networkTxBytes',
] as const satisfies readonly (keyof Sample)[];
const fieldCount = 2 + floats.length + counters.length + 2;

/** All in one COPY. The partitions of their days exist. */
export async function copySamples(sql: Sql, samples: readonly Sample[]): Promise<void> {
  if (samples.length === 0) return;
  const copy = await sql`
    copy metrics (
      machine_id, time, cpu_usage_percent, load1, load5, load15, temperature, uptime, memory_used_bytes, memory_total_bytes,
      disk_used_bytes, disk_total_bytes, network_rx_bytes, network_tx_bytes, power_state, devices
    ) from stdin (format binary)
  `.writable();
  await pipeline(Readable.from(pieces(samples)), copy);
}

/** A write for each row would cost more than the row. */
function* pieces(samples: readonly Sample[]): Generator<Buffer> {
  yield signature;
  for (let at = 0; at < samples.length; at += rowsPerWrite)
    yield encodeSamples(samples.slice(at, at + rowsPerWrite));
  yield end;
}

/** Tuples one after the other, in one piece of memory: a piece for each would cost as much again. */
export function encodeSamples(samples: readonly Sample[]): Buffer {
  const devices = samples.map(sample => sample.devices && JSON.stringify(sample.devices));
  const characters = samples.reduce(
    (sum, {powerState}, at) => sum + (powerState?.length ?? 0) + (devices[at]?.length ?? 0),
    0,
  );
  const rows = Buffer.allocUnsafe(
    samples.length * rowBytesMax + characters * textBytesPerCharacterMax,
  );
  let at = 0;
  for (const [index, sample] of samples.entries())
    at = writeSample(rows, at, {sample, devices: devices[index]});
  return rows.subarray(0, at);
}

function writeSample(
  row: Buffer,
  start: number,
  {sample, devices}: {readonly sample: Sample; readonly devices: string | undefined},
): number {
  let at = row.writeInt16BE(fieldCount, start);
  at = row.writeInt32BE(16, at);
  at += row.write(sample.machineId.replaceAll('-', ''), at, 'hex');
  at = writeInteger(row, at, (sample.time.getTime() - epochMs) * 1000);
  for (const name of floats) at = writeFloat(row, at, sample[name]);
  for (const name of counters) at = writeInteger(row, at, sample[name]);
  at = writeText(row, at, sample.powerState);
  return writeText(row, at, devices);
}

function writeFloat(row: Buffer, at: number, value: number | undefined): number {
  if (value === undefined) return row.writeInt32BE(-1, at);
  return row.writeDoubleBE(value, row.writeInt32BE(8, at));
}

function writeInteger(row: Buffer, at: number, value: number | undefined): number {
  if (value === undefined) return row.writeInt32BE(-1, at);
  const whole = Math.trunc(value);
  const high = Math.floor(whole / 2 ** 32);
  const next = row.writeInt32BE(high, row.writeInt32BE(8, at));
  return row.writeUInt32BE(whole - high * 2 ** 32, next);
}

function writeText(row: Buffer, at: number, value: string | undefined): number {
  if (value === undefined) return row.writeInt32BE(-1, at);
  const bytes = row.write(value, at + 4, 'utf8');
  row.writeInt32BE(bytes, at);
  return at + 4 + bytes;
}
