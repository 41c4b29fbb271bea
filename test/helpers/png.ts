import {inflateSync} from 'node:zlib';

export type Picture = {
  readonly width: number;
  readonly height: number;
  /** How many different points it has. */
  readonly colours: number;
};

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const samplesOf: Readonly<Record<number, number>> = {0: 1, 2: 3, 4: 2, 6: 4};

/** Reads a PNG of 8 bits a sample without interlacing or palette (the PNG specification, 9 and 11). */
export function readPng(bytes: Buffer): Picture {
  if (!bytes.subarray(0, 8).equals(signature)) throw new Error('It is no PNG');
  const data: Buffer[] = [];
  let header: Buffer = Buffer.alloc(0);
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = content;
    if (type === 'IDAT') data.push(content);
    at += 12 + length;
  }
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const samples = samplesOf[header[9] ?? -1];
  if (header[8] !== 8 || samples === undefined || header[12] !== 0)
    throw new Error('It is a PNG of another kind');

  const pixels = unfilter(inflateSync(Buffer.concat(data)), {
    rowBytes: width * samples,
    step: samples,
  });
  const colours = new Set<string>();
  for (let at = 0; at < pixels.length; at += samples)
    colours.add(pixels.toString('latin1', at, at + samples));
  return {width, height, colours: colours.size};
}

function unfilter(raw: Buffer, {rowBytes, step}: {rowBytes: number; step: number}): Buffer {
  const rows = Math.floor(raw.length / (rowBytes + 1));
  const out = Buffer.alloc(rows * rowBytes);
  for (let row = 0; row < rows; row += 1) {
    const filter = raw[row * (rowBytes + 1)] ?? 0;
    for (let column = 0; column < rowBytes; column += 1) {
      const at = row * rowBytes + column;
      const left = column >= step ? (out[at - step] ?? 0) : 0;
      const up = row > 0 ? (out[at - rowBytes] ?? 0) : 0;
      const corner = row > 0 && column >= step ? (out[at - rowBytes - step] ?? 0) : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      out[at] = ((raw[row * (rowBytes + 1) + 1 + column] ?? 0) + guess) & 0xff;
    }
  }
  return out;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map(value => Math.abs(estimate - value)) as [
    number,
    number,
    number,
  ];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
