import type {
  BaseboardJson,
  ChassisJson,
  CpuJson,
  DimmJson,
  FirmwareJson,
  MemoryJson,
  SystemJson,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import {
  byteAt,
  dwordAt,
  type SmbiosStructure,
  type SmbiosTable,
  stringAt,
  uuidAt,
  wordAt,
} from './smbios.ts';
import {chassisTypes, errorCorrections, memoryFormFactors, memoryTypes} from './smbios-names.ts';
import {cleanText} from './tree.ts';

const kibibyte = 1024n;
const mebibyte = kibibyte * 1024n;

// DSP0134, clause 7: structure types.
const firmwareType = 0;
const systemType = 1;
const baseboardType = 2;
const chassisType = 3;
const processorType = 4;
const memoryArrayType = 16;
const memoryDeviceType = 17;

/** Of the first structure of each kind: blades and their enclosures list themselves first. */
export function readSystem({version, structures}: SmbiosTable): SystemJson | undefined {
  const found = structures.find(({type}) => type === systemType);
  return (
    found &&
    compact<SystemJson>({
      manufacturer: textAt(found, 0x04),
      product: textAt(found, 0x05),
      version: textAt(found, 0x06),
      serial: textAt(found, 0x07),
      uuid: uuidAt(found, 0x08, version),
      sku: textAt(found, 0x19),
      family: textAt(found, 0x1a),
    })
  );
}

export function readBaseboard({structures}: SmbiosTable): BaseboardJson | undefined {
  const found = structures.find(({type}) => type === baseboardType);
  return (
    found &&
    compact<BaseboardJson>({
      manufacturer: textAt(found, 0x04),
      product: textAt(found, 0x05),
      version: textAt(found, 0x06),
      serial: textAt(found, 0x07),
      assetTag: textAt(found, 0x08),
    })
  );
}

export function readChassis({structures}: SmbiosTable): ChassisJson | undefined {
  const found = structures.find(({type}) => type === chassisType);
  if (!found) return undefined;
  // The highest bit says whether the chassis has a lock.
  const kind = (byteAt(found, 0x05) ?? 0) & 0x7f;
  return compact<ChassisJson>({
    manufacturer: textAt(found, 0x04),
    type: chassisTypes[kind],
    version: textAt(found, 0x06),
    serial: textAt(found, 0x07),
    assetTag: textAt(found, 0x08),
  });
}

export function readFirmware({structures}: SmbiosTable): FirmwareJson | undefined {
  const found = structures.find(({type}) => type === firmwareType);
  return (
    found &&
    compact<FirmwareJson>({
      vendor: textAt(found, 0x04),
      version: textAt(found, 0x05),
      releaseDate: textAt(found, 0x08),
    })
  );
}

/** Populated sockets, in the firmware's order. */
export function readProcessors({structures}: SmbiosTable): CpuJson[] {
  return structures
    .filter(found => found.type === processorType && ((byteAt(found, 0x18) ?? 0) & 0x40) !== 0)
    .map(found =>
      compact<CpuJson>({
        socket: textAt(found, 0x04),
        manufacturer: textAt(found, 0x07),
        model: textAt(found, 0x10),
        maxMhz: wordAt(found, 0x14) || undefined,
        cores: countAt(found, 0x23, 0x2a),
        threads: countAt(found, 0x25, 0x2e),
      }),
    );
}

/** Since 3.0 a byte of 0xFF means that the count is in a later word. */
function countAt(
  structure: SmbiosStructure,
  offset: number,
  extendedOffset: number,
): number | undefined {
  const count = byteAt(structure, offset);
  return (count === 0xff ? wordAt(structure, extendedOffset) : count) || undefined;
}

/** Slots of the system memory's arrays, the populated of them, and their sum. */
export function readMemory({structures}: SmbiosTable): MemoryJson | undefined {
  const devices = structures.filter(({type}) => type === memoryDeviceType);
  const arrays = structures.filter(
    // Use 3 is system memory; others are video memory, flash and caches.
    found => found.type === memoryArrayType && byteAt(found, 0x05) === 3,
  );
  if (devices.length === 0 && arrays.length === 0) return undefined;

  const dimms = devices.flatMap(found => readDimm(found) ?? []);
  const total = dimms.reduce((sum, dimm) => sum + BigInt(dimm.sizeBytes ?? '0'), 0n);
  const correction = arrays.map(found => errorCorrections[byteAt(found, 0x06) ?? 0])[0];
  return compact<MemoryJson>({
    totalBytes: total > 0n ? String(total) : undefined,
    slots: devices.length,
    dimms,
    errorCorrection: correction,
  });
}

function readDimm(found: SmbiosStructure): DimmJson | undefined {
  const size = dimmBytes(found);
  if (size === 0n) return undefined;
  return compact<DimmJson>({
    locator: textAt(found, 0x10),
    bank: textAt(found, 0x11),
    sizeBytes: size === undefined ? undefined : String(size),
    type: memoryTypes[byteAt(found, 0x12) ?? 0],
    formFactor: memoryFormFactors[byteAt(found, 0x0e) ?? 0],
    speedMts: speedAt(found, 0x15, 0x54),
    configuredSpeedMts: speedAt(found, 0x20, 0x58),
    manufacturer: textAt(found, 0x17),
    serial: textAt(found, 0x18),
    partNumber: textAt(found, 0x1a),
    assetTag: textAt(found, 0x19),
  });
}

/** DSP0134, 7.18.5: 0n is an empty slot, undefined an unknown size. */
export function dimmBytes(found: SmbiosStructure): bigint | undefined {
  const size = wordAt(found, 0x0c);
  if (size === undefined || size === 0) return 0n;
  if (size === 0xffff) return undefined;
  if (size === 0x7fff) return BigInt((dwordAt(found, 0x1c) ?? 0) & 0x7fff_ffff) * mebibyte;
  return BigInt(size & 0x7fff) * ((size & 0x8000) === 0 ? mebibyte : kibibyte);
}

/** In MT/s; 0 is unknown, and 0xFFFF means that the speed is in the extended field. */
function speedAt(
  structure: SmbiosStructure,
  offset: number,
  extendedOffset: number,
): number | undefined {
  const speed = wordAt(structure, offset);
  const full = speed === 0xffff ? (dwordAt(structure, extendedOffset) ?? 0) & 0x7fff_ffff : speed;
  return full || undefined;
}

const textAt = (structure: SmbiosStructure, offset: number): string | undefined =>
  cleanText(stringAt(structure, offset));
