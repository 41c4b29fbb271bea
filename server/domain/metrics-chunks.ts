import {zstdCompressSync, zstdDecompressSync} from 'node:zlib';
import type {Point} from './metrics-points.ts';

// Column by column: which points have it, then the differences between neighbours as varints. Decimals are whole numbers of a smaller unit, so
// that their differences are short, too; what does not fit is kept as it is. zstd finds what repeats.
const version = 1;
const scales = [1, 10, 100, 1000, 1e6] as const;
/** Differences of such numbers are exact, and so are their doubles. */
const wholeMax = 2 ** 51;
const valueBytesMax = 8;
const headerLengthBytes = 4;

type Column = {readonly name: string; readonly scale: number; readonly count: number};
type Header = {
  readonly version: number;
  readonly count: number;
  readonly columns: readonly (readonly [name: string, scale: number, count: number])[];
};

/** In the order of their times. */
export function encodePoints(points: readonly Point[]): Buffer {
  const columns = columnsOf(points);
  const header: Header = {
    version,
    count: points.length,
    columns: columns.map(({name, scale, count}) => [name, scale, count]),
  };
  const head = Buffer.from(JSON.stringify(header));
  const maskBytes = Math.ceil(points.length / 8);
  const bytesMax =
    headerLengthBytes +
    head.length +
    (columns.length + 1) * (maskBytes + points.length * valueBytesMax);
  const buffer = Buffer.alloc(bytesMax);
  let at = buffer.writeUInt32LE(head.length, 0);
  at += head.copy(buffer, at);
  at = writeWholes(
    buffer,
    at,
    points.map(({timeMs}) => timeMs),
  );
  for (const {name, scale, count} of columns) {
    const values = points.map(point => point.values.get(name));
    if (count < points.length) {
      for (const [index, value] of values.entries())
        if (value !== undefined)
          buffer[at + (index >> 3)] = (buffer[at + (index >> 3)] ?? 0) | (1 << (index & 7));
      at += maskBytes;
    }
    const known = values.filter(value => value !== undefined);
    if (scale > 0)
      at = writeWholes(
        buffer,
        at,
        known.map(value => Math.round(value * scale)),
      );
    else for (const value of known) at = buffer.writeDoubleLE(value, at);
  }
  return zstdCompressSync(buffer.subarray(0, at));
}

export function decodePoints(data: Buffer): readonly Point[] {
  const buffer = zstdDecompressSync(data);
  const bodyAt = headerLengthBytes + buffer.readUInt32LE(0);
  const header = JSON.parse(buffer.toString('utf8', headerLengthBytes, bodyAt)) as Header;
  if (header.version !== version)
    throw new Error(`Cannot read packed metrics of version ${header.version}: this is ${version}`);
  const reader = {buffer, at: bodyAt};
  const times = readWholes(reader, header.count);
  const points = times.map(timeMs => ({timeMs, values: new Map<string, number>()}));
  for (const [name, scale, count] of header.columns) {
    const maskAt = reader.at;
    const isWhole = count === header.count;
    if (!isWhole) reader.at += Math.ceil(header.count / 8);
    const values =
      scale > 0
        ? readWholes(reader, count).map(value => value / scale)
        : readDoubles(reader, count);
    let next = 0;
    for (const [index, {values: own}] of points.entries()) {
      if (!isWhole && (((buffer[maskAt + (index >> 3)] ?? 0) >> (index & 7)) & 1) === 0) continue;
      own.set(name, values[next++] ?? Number.NaN);
    }
  }
  return points;
}

/** By name, so that the same points give the same bytes. */
function columnsOf(points: readonly Point[]): readonly Column[] {
  const found = new Map<string, number[]>();
  for (const {values} of points)
    for (const [name, value] of values) {
      const known = found.get(name);
      if (known) known.push(value);
      else found.set(name, [value]);
    }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, values]) => ({name, scale: scaleOf(values), count: values.length}));
}

/** By what all of these become whole numbers and back; 0 when nothing does. */
function scaleOf(values: readonly number[]): number {
  return (
    scales.find(scale =>
      values.every(value => {
        const whole = Math.round(value * scale);
        return Math.abs(whole) < wholeMax && Object.is(whole / scale, value);
      }),
    ) ?? 0
  );
}

/** Of each the difference to the one before, zigzag so that small ones of both signs are short. */
function writeWholes(buffer: Buffer, start: number, wholes: readonly number[]): number {
  let at = start;
  let before = 0;
  for (const whole of wholes) {
    const difference = whole - before;
    before = whole;
    let rest = difference >= 0 ? difference * 2 : -difference * 2 - 1;
    while (rest >= 128) {
      buffer[at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    buffer[at++] = rest;
  }
  return at;
}

type Reader = {readonly buffer: Buffer; at: number};

function readWholes(reader: Reader, count: number): number[] {
  const {buffer} = reader;
  const wholes: number[] = [];
  let before = 0;
  for (let index = 0; index < count; index++) {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = buffer[reader.at++] ?? 0;
      value += (byte & 127) * unit;
      if (byte < 128) break;
      unit *= 128;
    }
    before += value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    wholes.push(before);
  }
  return wholes;
}

function readDoubles(reader: Reader, count: number): number[] {
  return Array.from({length: count}, () => {
    const value = reader.buffer.readDoubleLE(reader.at);
    reader.at += 8;
    return value;
  });
}
