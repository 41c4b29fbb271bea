/** One structure to build: its formatted area after the four header bytes, and its strings. */
export type SmbiosSource = {
  readonly type: number;
  /** From offset 4 on. */
  readonly body: Uint8Array;
  readonly strings?: readonly string[];
};

/** A formatted area of `length` bytes (the header included) with values at the offsets of the specification. */
export function smbiosBody(
  length: number,
  values: Readonly<
    Record<
      number,
      | {readonly byte: number}
      | {readonly word: number}
      | {readonly dword: number}
      | {readonly bytes: Uint8Array}
    >
  >,
): Uint8Array {
  const area = Buffer.alloc(length);
  for (const [key, value] of Object.entries(values)) {
    const offset = Number(key);
    if ('byte' in value) area.writeUInt8(value.byte, offset);
    else if ('word' in value) area.writeUInt16LE(value.word, offset);
    else if ('dword' in value) area.writeUInt32LE(value.dword, offset);
    else area.set(value.bytes, offset);
  }
  return area.subarray(4);
}

/** A structure table as DSP0134, 6.1 describes it, with an end-of-table structure. */
export function buildSmbiosTable(sources: readonly SmbiosSource[]): Buffer {
  const end: SmbiosSource = {type: 127, body: new Uint8Array()};
  return Buffer.concat(
    [...sources, end].map(({type, body, strings = []}, handle) => {
      const header = Buffer.alloc(4);
      header.writeUInt8(type, 0);
      header.writeUInt8(4 + body.length, 1);
      header.writeUInt16LE(handle, 2);
      const texts = strings.map(text => Buffer.from(`${text}\0`, 'latin1'));
      const terminator = Buffer.alloc(strings.length === 0 ? 2 : 1);
      return Buffer.concat([header, body, ...texts, terminator]);
    }),
  );
}

/** A 64-bit entry point (DSP0134, 5.2.2). */
export function buildEntryPoint3(major: number, minor: number, tableBytesMax: number): Buffer {
  const entry = Buffer.alloc(24);
  entry.write('_SM3_', 'latin1');
  entry[6] = 24;
  entry[7] = major;
  entry[8] = minor;
  entry.writeUInt32LE(tableBytesMax, 12);
  entry[5] = checksum(entry);
  return entry;
}

/** A 32-bit entry point (DSP0134, 5.2.1). */
export function buildEntryPoint2(
  major: number,
  minor: number,
  table: {readonly bytes: number; readonly count: number},
): Buffer {
  const entry = Buffer.alloc(31);
  entry.write('_SM_', 'latin1');
  entry[5] = 31;
  entry[6] = major;
  entry[7] = minor;
  entry.write('_DMI_', 16, 'latin1');
  entry.writeUInt16LE(table.bytes, 22);
  entry.writeUInt16LE(table.count, 28);
  entry[21] = checksum(entry.subarray(16));
  entry[4] = checksum(entry);
  return entry;
}

const checksum = (bytes: Buffer): number => -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
