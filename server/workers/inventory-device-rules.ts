import {
  type Bmc,
  type Dimm,
  type Disk,
  type DiskHealth,
  DiskHealth_Verdict,
  type Gpu,
  type Nic,
  type PciDevice,
  type Tpm,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {parseSerial} from '../domain/identifiers.ts';
import {
  type Field,
  join,
  nowhere,
  one,
  type Rule,
  universalMac,
  withoutSerial,
} from './inventory-rule.ts';

export const dimm: Rule<Dimm> = {
  read: ({memory}) => memory?.dimms ?? [],
  slot: ({bank, locator}) => join(bank, locator),
  serial: ({serial}) => parseSerial(serial),
  model: ({partNumber}) => partNumber,
  named: ['bank', 'locator', 'serial', 'partNumber'],
  lasting: [
    'sizeBytes',
    'type',
    'formFactor',
    'speedMts',
    'configuredSpeedMts',
    'manufacturer',
    'assetTag',
  ],
  ignored: {},
  collectors: ['memory'],
  absenceCounts: false,
};

/** Not parts of this machine: storage of others, and what hands and BMC consoles plug in. */
const foreignTransports: ReadonlySet<string> = new Set(['fc', 'iscsi', 'usb']);
const verdicts: Readonly<Record<number, string>> = {
  [DiskHealth_Verdict.PASSED]: 'passed',
  [DiskHealth_Verdict.FAILED]: 'failed',
};

/** Only the verdict of a disk's health lasts. */
export const ignoredHealth: Partial<Readonly<Record<Field<DiskHealth>, string>>> = {
  reason: 'follows from the verdict',
  powerOnHours: 'grows',
  percentageUsed: 'grows',
  reallocatedSectors: 'grows before the verdict falls',
  pendingSectors: 'come and go',
  mediaErrors: 'grow before the verdict falls',
};

export const disk: Rule<Disk> = {
  read: ({disks}) =>
    disks.filter(({removable, transport}) => !removable && !foreignTransports.has(transport)),
  // Without a path all disks of one controller would share a slot.
  slot: ({path, pciAddress, serial, wwn, name}) =>
    path || join(pciAddress, parseSerial(serial) ?? (wwn || name)),
  serial: ({serial}) => parseSerial(serial),
  model: ({model}) => model,
  named: ['path', 'pciAddress', 'serial', 'model', 'removable'],
  lasting: [
    'wwn',
    'sizeBytes',
    'rotational',
    'transport',
    'firmware',
    'logicalBlockBytes',
    'physicalBlockBytes',
    'health',
  ],
  derived: ({health}) => ({health: verdicts[health?.verdict ?? 0] ?? ''}),
  ignored: {name: 'given in the order in which the kernel finds disks'},
  state: ({health}) =>
    health
      ? {
          verdict: verdicts[health.verdict] ?? '',
          reason: health.reason,
          percentage_used: health.percentageUsed,
          reallocated_sectors: Number(health.reallocatedSectors),
          pending_sectors: Number(health.pendingSectors),
          media_errors: Number(health.mediaErrors),
        }
      : {},
  collectors: ['disks'],
  absenceCounts: true,
};

export const nic: Rule<Nic> = {
  read: ({nics}) => nics.filter(({type}) => type !== 'usb'),
  slot: ({pciAddress, name}) => pciAddress || name,
  serial: ({permanentMacAddress, macAddress}) => universalMac(permanentMacAddress, macAddress),
  model: ({vendorId, deviceId}) => (vendorId && deviceId ? `${vendorId}:${deviceId}` : ''),
  named: ['pciAddress', 'permanentMacAddress', 'vendorId', 'deviceId', 'type'],
  lasting: ['firmwareVersion'],
  ignored: {
    name: 'given by the running image',
    macAddress: 'software may set it; counts only while no permanent one is told',
    driver: 'belongs to the running kernel',
    speedMbps: 'flaps with the link; a slow one raises an issue',
    speedMbpsMax: 'depends on the cable, the module and the switch',
    link: 'flaps',
    mtu: 'set by the running image',
    ipAddresses: 'leased',
  },
  state: ({link, speedMbps, speedMbpsMax}) => ({
    ...(link ? {speed_mbps: speedMbps} : {}),
    speed_mbps_max: speedMbpsMax,
  }),
  collectors: ['nics'],
  absenceCounts: true,
};

export const pci: Rule<PciDevice> = {
  read: ({pciDevices}) => pciDevices,
  slot: ({address}) => address,
  serial: withoutSerial,
  model: ({vendorId, deviceId}) => join(`${vendorId}:${deviceId}`),
  named: ['address', 'vendorId', 'deviceId'],
  lasting: ['subsystemVendorId', 'subsystemDeviceId', 'classId'],
  ignored: {
    driver: 'belongs to the running kernel',
    numaNode: 'told by some kernels only',
    linkSpeedGts: 'falls while the device is idle; a slow or narrow link raises an issue',
    linkSpeedGtsMax: 'read with the link',
    linkWidth: 'read with the link',
    linkWidthMax: 'read with the link',
  },
  state: ({linkSpeedGts, linkSpeedGtsMax, linkWidth, linkWidthMax}) => ({
    link_speed_gts: linkSpeedGts,
    link_speed_gts_max: linkSpeedGtsMax,
    link_width: linkWidth,
    link_width_max: linkWidthMax,
  }),
  collectors: ['pci', 'pciDevices'],
  absenceCounts: true,
};

export const gpu: Rule<Gpu> = {
  read: ({gpus}) => gpus,
  slot: ({pciAddress}) => pciAddress,
  serial: withoutSerial,
  model: ({vendorId, deviceId}) => join(`${vendorId}:${deviceId}`),
  named: ['pciAddress', 'vendorId', 'deviceId'],
  lasting: [],
  ignored: {
    driver: 'belongs to the running kernel',
    model: 'only told where lspci is in the image',
  },
  collectors: ['gpus'],
  absenceCounts: true,
};

export const tpm: Rule<Tpm> = {
  read: ({tpm}) => one(tpm),
  slot: nowhere,
  serial: ({ekHash}) => (/^[0-9a-f]{64}$/.test(ekHash) ? ekHash : undefined),
  model: ({manufacturer}) => manufacturer,
  named: ['manufacturer', 'ekHash'],
  lasting: ['version'],
  ignored: {},
  collectors: ['tpm'],
  absenceCounts: false,
};

export const bmc: Rule<Bmc> = {
  read: ({bmc}) => one(bmc),
  slot: nowhere,
  serial: ({macAddress}) => universalMac(macAddress),
  model: ({manufacturer}) => manufacturer,
  named: ['macAddress', 'manufacturer'],
  lasting: ['firmwareVersion'],
  ignored: {ipAddress: 'leased'},
  collectors: ['bmc'],
  absenceCounts: false,
};
