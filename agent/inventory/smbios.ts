import {uuidText} from '@muster/runtime/ids.ts';

/** Parser of the SMBIOS structure table (DMTF DSP0134, version 3.7). It never throws: firmware tables hold anything. */
export type SmbiosVersion = {readonly major: number; readonly minor: number};

export type SmbiosStructure = {
  readonly type: number;
  readonly handle: number;
  /** The formatted area with its four header bytes, so that offsets are those of the specification. */
  readonly data: Buffer;
  readonly strings: readonly string[];
};

export type SmbiosTable = {
  readonly version: SmbiosVersion;
  readonly structures: readonly SmbiosStructure[];
};

const structureCountMax = 8192;
const headerBytes = 4;
const endOfTable = 127;
/** Taken when the entry point is missing or broken: the oldest version whose UUIDs have today's byte order. */
const unknownVersion: SmbiosVersion = {major: 2, minor: 6};

/** `entryPoint` and `table` are /sys/firmware/dmi/tables/{smbios_entry_point,DMI}. */
export function parseSmbios(entryPoint: Uint8Array | undefined, table: Uint8Array): SmbiosTable {
  const entry = entryPoint ? parseEntryPoint(Buffer.from(entryPoint)) : undefined;
  const bytes = Buffer.from(table).subarray(0, entry?.tableBytesMax ?? table.length);
  return {
    version: entry?.version ?? unknownVersion,
    structures: parseStructures(bytes, entry?.structureCount ?? structureCountMax),
  };
}

type EntryPoint = {
  readonly version: SmbiosVersion;
  readonly tableBytesMax: number;
  readonly structureCount: number;
};

/** DSP0134, 5.2: 64-bit ("_SM3_"), 32-bit ("_SM_"), and the older "_DMI_" that the latter embeds. */
export function parseEntryPoint(bytes: Buffer): EntryPoint | undefined {
  const anchor = bytes.subarray(0, 5).toString('latin1');
  if (anchor === '_SM3_' && bytes.length >= 24 && sumsToZero(bytes, bytes[6] ?? 0))
    return {
      version: {major: bytes[7] ?? 0, minor: bytes[8] ?? 0},
      tableBytesMax: bytes.readUInt32LE(12),
      structureCount: structureCountMax,
    };
  if (anchor.startsWith('_SM_') && bytes.length >= 31 && sumsToZero(bytes, bytes[5] ?? 0))
    return {
      version: correctVersion(bytes[6] ?? 0, bytes[7] ?? 0),
      tableBytesMax: bytes.readUInt16LE(22),
      structureCount: bytes.readUInt16LE(28),
    };
  if (anchor === '_DMI_' && bytes.length >= 15 && sumsToZero(bytes, 15))
    return {
      // Binary coded: 0x24 is 2.4.
      version: {major: (bytes[14] ?? 0) >> 4, minor: (bytes[14] ?? 0) & 0x0f},
      tableBytesMax: bytes.readUInt16LE(6),
      structureCount: bytes.readUInt16LE(12),
    };
  return undefined;
}

/** Firmware is known that writes the minor version in decimal digits: as dmidecode, 2.31 means 2.3 and 2.51 means 2.6. */
function correctVersion(major: number, minor: number): SmbiosVersion {
  if (major !== 2) return {major, minor};
  return {major, minor: {31: 3, 33: 3, 51: 6}[minor] ?? minor};
}

function sumsToZero(bytes: Buffer, length: number): boolean {
  // A length below 15 is that of no entry point; 2.1 entry points say 0x1E instead of 0x1F.
  if (length < 15 || length > bytes.length) return false;
  let sum = 0;
  for (const byte of bytes.subarray(0, length)) sum = (sum + byte) & 0xff;
  return sum === 0;
}

function parseStructures(bytes: Buffer, countMax: number): readonly SmbiosStructure[] {
  const found: SmbiosStructure[] = [];
  for (let offset = 0; offset + headerBytes <= bytes.length;) {
    const type = bytes[offset] ?? 0;
    const length = bytes[offset + 1] ?? 0;
    // A structure shorter than its header cannot be stepped over: what follows is unknown.
    if (length < headerBytes || offset + length > bytes.length) break;

    const {strings, end} = parseStrings(bytes, offset + length);
    found.push({
      type,
      handle: bytes.readUInt16LE(offset + 2),
      data: bytes.subarray(offset, offset + length),
      strings,
    });
    if (type === endOfTable || found.length >= Math.min(countMax, structureCountMax)) break;
    offset = end;
  }
  return found;
}

/** The NUL-terminated strings after the formatted area, up to the empty one that ends the set (DSP0134, 6.1.3). */
function parseStrings(
  bytes: Buffer,
  start: number,
): {readonly strings: readonly string[]; readonly end: number} {
  // A structure without strings ends with two NULs.
  if (bytes[start] === 0) return {strings: [], end: start + 2};
  const strings: string[] = [];
  let offset = start;
  while (offset < bytes.length) {
    const nul = bytes.indexOf(0, offset);
    const end = nul < 0 ? bytes.length : nul;
    if (end === offset) return {strings, end: end + 1};
    strings.push(bytes.toString('latin1', offset, end));
    offset = end + 1;
  }
  return {strings, end: bytes.length};
}

/** A formatted field; undefined when the structure is too short, as those of older versions are. */
export function byteAt({data}: SmbiosStructure, offset: number): number | undefined {
  return data[offset];
}

export function wordAt({data}: SmbiosStructure, offset: number): number | undefined {
  return offset + 2 <= data.length ? data.readUInt16LE(offset) : undefined;
}

export function dwordAt({data}: SmbiosStructure, offset: number): number | undefined {
  return offset + 4 <= data.length ? data.readUInt32LE(offset) : undefined;
}

/** The string whose number stands at `offset`; undefined for number 0 and for one that the set does not have. */
export function stringAt({data, strings}: SmbiosStructure, offset: number): string | undefined {
  const number = data[offset];
  return number === undefined || number === 0 ? undefined : strings[number - 1];
}

/**
 * The UUID in RFC 4122 form, lower case (DSP0134, 7.2.1): from version 2.6 on the first three fields are little-endian. All ones or
 * zeros are given as they are; the server knows that they mean nothing.
 */
export function uuidAt(
  {data}: SmbiosStructure,
  offset: number,
  {major, minor}: SmbiosVersion,
): string | undefined {
  if (offset + 16 > data.length) return undefined;
  const raw = Buffer.from(data.subarray(offset, offset + 16));
  if (major > 2 || (major === 2 && minor >= 6)) {
    raw.subarray(0, 4).reverse();
    raw.subarray(4, 6).reverse();
    raw.subarray(6, 8).reverse();
  }
  return uuidText(raw);
}
