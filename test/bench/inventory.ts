import {createHash} from 'node:crypto';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({length: count}, (_, index) => make(index));
const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');

/** Names and numbers that nobody can foresee, as those of real parts: the report shall compress no better than a real one (57 KB to 7.8). */
const word = (of: string, index: number, digits: number) =>
  createHash('sha256').update(`${of} ${index}`).digest('hex').slice(0, digits);

/** What a server of two sockets reports: 24 modules, 12 disks, 4 NICs, 180 PCI devices. `serial` makes it one of its own. */
export function buildInventory(serial: number): HardwareJson {
  const own = hex(serial, 6).toUpperCase();
  const address = (index: number) => `0000:${hex(index >> 3, 2)}:${hex(index & 7, 2)}.0`;
  return {
    system: {manufacturer: 'Dell Inc.', product: 'PowerEdge R640', serial: `BENCH${own}`},
    baseboard: {manufacturer: 'Dell Inc.', product: '0W23H8', serial: `CN7475${own}`},
    chassis: {manufacturer: 'Dell Inc.', type: 'Rack Mount Chassis', serial: `BENCH${own}`},
    firmware: {vendor: 'Dell Inc.', version: '2.12.2', mode: 'MODE_UEFI'},
    cpus: times(2, index => ({
      socket: `CPU${index + 1}`,
      manufacturer: 'GenuineIntel',
      model: 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz',
      cores: 20,
      threads: 40,
      maxMhz: 3900,
      microcode: '0x5003302',
      architecture: 'x86_64',
      ...(index === 0 ? {flags: times(170, flag => word('flag', flag, 7))} : {}),
    })),
    memory: {
      totalBytes: String(24 * 2 ** 35),
      slots: 24,
      errorCorrection: 'Multi-bit ECC',
      dimms: times(24, index => ({
        locator: `${index < 12 ? 'A' : 'B'}${(index % 12) + 1}`,
        sizeBytes: String(2 ** 35),
        type: 'DDR4',
        formFactor: 'DIMM',
        speedMts: 2933,
        configuredSpeedMts: 2933,
        manufacturer: 'Samsung',
        serial: `${own}${hex(index, 2).toUpperCase()}`,
        partNumber: 'M393A4K40CB2-CVF',
        assetTag: '01201161',
      })),
    },
    disks: times(12, index => ({
      name: `sd${String.fromCharCode(97 + index)}`,
      model: 'SAMSUNG MZ7LH960HAJR0D3',
      serial: `S45N${own}${hex(index, 2).toUpperCase()}`,
      wwn: `naa.5002538e${own.toLowerCase()}${hex(index, 2)}`,
      sizeBytes: '960197124096',
      transport: 'sata',
      firmware: 'HG57',
      logicalBlockBytes: 512,
      physicalBlockBytes: 4096,
      pciAddress: '0000:18:00.0',
      path: `pci-0000:18:00.0-ata-${index + 1}`,
      health: {verdict: 'VERDICT_PASSED', powerOnHours: '20311', percentageUsed: 3},
    })),
    nics: times(4, index => ({
      name: `eno${index + 1}np${index}`,
      macAddress: `b0:26:${own.match(/../g)?.join(':').toLowerCase()}:${hex(index, 2)}`,
      permanentMacAddress: `b0:26:${own.match(/../g)?.join(':').toLowerCase()}:${hex(index, 2)}`,
      driver: 'i40e',
      firmwareVersion: '8.30 0x8000a49d 20.5.13',
      pciAddress: `0000:19:00.${index}`,
      speedMbps: 10_000,
      speedMbpsMax: 10_000,
      link: true,
      mtu: 1500,
      ipAddresses: [`10.0.${index}.7`],
      vendorId: '8086',
      deviceId: '1572',
      type: 'ethernet',
    })),
    pciDevices: times(180, index => ({
      address: address(index),
      vendorId: '8086',
      deviceId: word('device', index, 4),
      subsystemVendorId: '1028',
      subsystemDeviceId: word('subsystem', index, 4),
      classId: index % 5 === 0 ? '060400' : '088000',
      driver: 'pcieport',
      numaNode: index < 90 ? 0 : 1,
      ...(index % 5 === 0
        ? {linkSpeedGts: 8, linkSpeedGtsMax: 8, linkWidth: 8, linkWidthMax: 8}
        : {}),
    })),
    usbDevices: times(4, index => ({busId: `1-${index + 1}`, vendorId: '1604', productId: '10c0'})),
    numaNodes: times(2, index => ({id: index, memoryBytes: String(2 ** 38), cpus: '0-39'})),
    operatingSystem: {name: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.1.0-56-amd64'},
    collectors: ['system', 'firmware', 'cpus', 'memory', 'disks', 'nics', 'pci', 'numa'].map(
      name => ({name, state: 'STATE_COLLECTED', durationMs: 1}),
    ),
  };
}
