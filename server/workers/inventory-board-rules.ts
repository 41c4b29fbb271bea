import {
  type Baseboard,
  type Chassis,
  type Cpu,
  type Firmware,
  Firmware_Mode,
  Firmware_SecureBoot,
  type Hardware,
  type Memory,
  type System,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {parseSerial} from '../domain/identifiers.ts';
import {join, nowhere, one, type Rule, withoutSerial} from './inventory-rule.ts';

export const system: Rule<System> = {
  read: ({system}) => one(system),
  slot: nowhere,
  serial: ({serial}) => parseSerial(serial),
  model: ({manufacturer, product}) => join(manufacturer, product),
  named: ['serial', 'manufacturer', 'product'],
  lasting: ['version', 'uuid', 'sku', 'family'],
  ignored: {},
  collectors: ['system'],
  absenceCounts: false,
};

export const baseboard: Rule<Baseboard> = {
  read: ({baseboard}) => one(baseboard),
  slot: nowhere,
  serial: ({serial}) => parseSerial(serial),
  model: ({manufacturer, product}) => join(manufacturer, product),
  named: ['serial', 'manufacturer', 'product'],
  lasting: ['version', 'assetTag'],
  ignored: {},
  collectors: ['system'],
  absenceCounts: false,
};

export const chassis: Rule<Chassis> = {
  read: ({chassis}) => one(chassis),
  slot: nowhere,
  serial: ({serial}) => parseSerial(serial),
  model: ({manufacturer, type}) => join(manufacturer, type),
  named: ['serial', 'manufacturer', 'type'],
  lasting: ['version', 'assetTag'],
  ignored: {},
  collectors: ['system'],
  absenceCounts: false,
};

const modes: Readonly<Record<number, string>> = {
  [Firmware_Mode.BIOS]: 'bios',
  [Firmware_Mode.UEFI]: 'uefi',
};
const secureBoots: Readonly<Record<number, string>> = {
  [Firmware_SecureBoot.UNSUPPORTED]: 'unsupported',
  [Firmware_SecureBoot.DISABLED]: 'disabled',
  [Firmware_SecureBoot.ENABLED]: 'enabled',
  [Firmware_SecureBoot.SETUP_MODE]: 'setup_mode',
};

export const firmwareMode = ({firmware}: Hardware): string => modes[firmware?.mode ?? 0] ?? '';

export const firmware: Rule<Firmware> = {
  read: ({firmware}) => one(firmware),
  slot: nowhere,
  serial: withoutSerial,
  model: ({vendor}) => vendor,
  named: ['vendor'],
  lasting: ['version', 'releaseDate', 'mode', 'secureBoot'],
  derived: ({mode, secureBoot}) => ({
    mode: modes[mode] ?? '',
    secureBoot: secureBoots[secureBoot] ?? '',
  }),
  ignored: {},
  collectors: ['firmware'],
  absenceCounts: false,
};

export const cpu: Rule<Cpu> = {
  read: ({cpus}) => cpus,
  slot: ({socket}) => socket,
  serial: withoutSerial,
  model: ({model}) => model,
  named: ['socket', 'model'],
  lasting: ['manufacturer', 'cores', 'threads', 'architecture'],
  ignored: {
    maxMhz: 'the running kernel’s frequency driver decides what it sees',
    microcode: 'loaded by the image that runs',
    flags: 'the kernel hides some by its version and command line',
  },
  collectors: ['cpus'],
  absenceCounts: false,
};

export const memory: Rule<Memory> = {
  read: ({memory}) => one(memory),
  slot: nowhere,
  serial: withoutSerial,
  model: nowhere,
  named: ['dimms'],
  lasting: ['slots', 'errorCorrection'],
  ignored: {totalBytes: 'the sum of the modules, or what this kernel left over'},
  collectors: ['memory'],
  absenceCounts: false,
};
