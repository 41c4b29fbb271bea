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
const [uuidBytes, numberBytes] = [16, 8];
const fieldCount = 16;
/** Of a row without its texts, at most. */
const rowBytesMax = 256;
const textBytesPerCharacterMax = 3;
const two32 = 2 ** 32;

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
  let characters = 0;
  for (const [at, {powerState}] of samples.entries())
    characters += (powerState?.length ?? 0) + (devices[at]?.length ?? 0);
  const bytes = Buffer.allocUnsafe(
    samples.length * rowBytesMax + characters * textBytesPerCharacterMax,
  );
  const rows = {bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length)};
  const ids = createIdReader();
  let at = 0;
  for (const [index, sample] of samples.entries()) {
    at = writeNumbers(rows, at, {sample, machineId: ids(sample.machineId)});
    at = writeText(rows, at, sample.powerState);
    at = writeText(rows, at, devices[index]);
  }
  return bytes.subarray(0, at);
}

/** Samples of a machine stand together: its id is read once. */
function createIdReader(): (machineId: string) => Buffer {
  let known = '';
  let bytes = Buffer.alloc(0);
  return machineId => {
    if (machineId === known) return bytes;
    known = machineId;
    bytes = Buffer.from(machineId.replaceAll('-', ''), 'hex');
    return bytes;
  };
}

type Rows = {readonly bytes: Buffer; readonly view: DataView};

/** Field by field: by a list of their names, a row costs three times as much. */
function writeNumbers(
  rows: Rows,
  start: number,
  {sample, machineId}: {readonly sample: Sample; readonly machineId: Buffer},
): number {
  const {view} = rows;
  view.setInt16(start, fieldCount);
  view.setInt32(start + 2, uuidBytes);
  rows.bytes.set(machineId, start + 6);
  let at = start + 6 + uuidBytes;
  at = writeInteger(view, at, (sample.time.getTime() - epochMs) * 1000);
  at = writeFloat(view, at, sample.cpuUsagePercent);
  at = writeFloat(view, at, sample.load1);
  at = writeFloat(view, at, sample.load5);
  at = writeFloat(view, at, sample.load15);
  at = writeFloat(view, at, sample.temperature);
  at = writeFloat(view, at, sample.uptime);
  at = writeInteger(view, at, sample.memoryUsedBytes);
  at = writeInteger(view, at, sample.memoryTotalBytes);
  at = writeInteger(view, at, sample.diskUsedBytes);
  at = writeInteger(view, at, sample.diskTotalBytes);
  at = writeInteger(view, at, sample.networkRxBytes);
  return writeInteger(view, at, sample.networkTxBytes);
}

function writeNull(view: DataView, at: number): number {
  view.setInt32(at, -1);
  return at + 4;
}

function writeFloat(view: DataView, at: number, value: number | undefined): number {
  if (value === undefined) return writeNull(view, at);
  view.setInt32(at, numberBytes);
  view.setFloat64(at + 4, value);
  return at + 4 + numberBytes;
}

/** In halves: a BigInt for each would be an object for each. */
function writeInteger(view: DataView, at: number, value: number | undefined): number {
  if (value === undefined) return writeNull(view, at);
  const whole = Math.trunc(value);
  const high = Math.floor(whole / two32);
  view.setInt32(at, numberBytes);
  view.setInt32(at + 4, high);
  view.setUint32(at + 8, whole - high * two32);
  return at + 4 + numberBytes;
}

function writeText({bytes, view}: Rows, at: number, value: string | undefined): number {
  if (value === undefined) return writeNull(view, at);
  const length = bytes.write(value, at + 4, 'utf8');
  view.setInt32(at, length);
  return at + 4 + length;
}
