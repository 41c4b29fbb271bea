import {
  Collector_State as CollectorState,
  DiskHealth_Verdict as Verdict,
  Firmware_Mode as FirmwareMode,
  Firmware_SecureBoot as SecureBoot,
  type Hardware,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {formatBytes, formatDiskBytes} from '../../../ui/format.ts';

export type Row = readonly (readonly [name: string, value: string])[];
export type Section = {
  readonly title: string;
  /** What one wants to know without opening it. */
  readonly summary: string;
  readonly rows: readonly Row[];
  readonly hasTrouble?: boolean;
};

const secureBootWords: Readonly<Record<number, string>> = {
  [SecureBoot.UNSUPPORTED]: 'not supported',
  [SecureBoot.DISABLED]: 'off',
  [SecureBoot.ENABLED]: 'on',
  [SecureBoot.SETUP_MODE]: 'setup mode',
};

/** The inventory as a tree: a section for each kind of part, a row for each part. Empty ones are left out. */
export function sectionsOf(hardware: Hardware): readonly Section[] {
  return [
    ...boardSections(hardware),
    ...computeSections(hardware),
    ...diskSections(hardware),
    ...networkSections(hardware),
    ...deviceSections(hardware),
  ].filter(({rows}) => rows.length > 0);
}

function boardSections({
  system,
  baseboard,
  chassis,
  firmware,
  bmc,
  tpm,
}: Hardware): readonly Section[] {
  return [
    {
      title: 'System',
      summary: words(system?.manufacturer, system?.product),
      rows: system
        ? [
            row(
              ['Maker', system.manufacturer],
              ['Product', system.product],
              ['Version', system.version],
              ['Serial', system.serial],
              ['UUID', system.uuid],
              ['SKU', system.sku],
              ['Family', system.family],
            ),
            ...(baseboard
              ? [
                  row(
                    ['Board', words(baseboard.manufacturer, baseboard.product)],
                    ['Serial', baseboard.serial],
                  ),
                ]
              : []),
            ...(chassis
              ? [
                  row(
                    ['Chassis', words(chassis.manufacturer, chassis.type)],
                    ['Serial', chassis.serial],
                    ['Asset tag', chassis.assetTag],
                  ),
                ]
              : []),
          ]
        : [],
    },
    {
      title: 'Firmware',
      summary: words(
        firmware?.vendor,
        firmware?.version,
        firmware?.mode === FirmwareMode.UEFI ? 'UEFI' : 'BIOS',
      ),
      rows: firmware
        ? [
            row(
              ['Vendor', firmware.vendor],
              ['Version', firmware.version],
              ['Released', firmware.releaseDate],
              ['Secure Boot', secureBootWords[firmware.secureBoot] ?? ''],
              ['TPM', words(tpm?.version, tpm?.manufacturer)],
            ),
          ]
        : [],
    },
    {
      title: 'BMC',
      summary: bmc?.ipAddress ?? '',
      rows: bmc
        ? [
            row(
              ['Address', bmc.ipAddress],
              ['MAC', bmc.macAddress],
              ['Firmware', bmc.firmwareVersion],
              ['Maker', bmc.manufacturer],
            ),
          ]
        : [],
    },
  ];
}

function computeSections({cpus, memory, numaNodes}: Hardware): readonly Section[] {
  return [
    {
      title: 'CPUs',
      summary: cpus.length > 0 ? `${cpus.length} × ${cpus[0]?.model}` : '',
      rows: cpus.map(cpu =>
        row(
          ['Socket', cpu.socket],
          ['Model', cpu.model],
          ['Cores', String(cpu.cores)],
          ['Threads', String(cpu.threads)],
          ['At most', cpu.maxMhz > 0 ? `${cpu.maxMhz} MHz` : ''],
          ['Microcode', cpu.microcode],
        ),
      ),
    },
    {
      title: 'Memory',
      summary: memory
        ? `${formatBytes(memory.totalBytes)} in ${memory.dimms.length} of ${memory.slots} slots`
        : '',
      rows: (memory?.dimms ?? []).map(dimm =>
        row(
          ['Slot', dimm.locator],
          ['Size', formatBytes(dimm.sizeBytes)],
          ['Type', words(dimm.type, dimm.formFactor)],
          [
            'Speed',
            dimm.configuredSpeedMts > 0
              ? `${dimm.configuredSpeedMts} of ${dimm.speedMts} MT/s`
              : '',
          ],
          ['Maker', dimm.manufacturer],
          ['Part', dimm.partNumber],
          ['Serial', dimm.serial],
        ),
      ),
    },
    {
      title: 'NUMA nodes',
      summary: String(numaNodes.length),
      rows: numaNodes.map(node =>
        row(
          ['Node', String(node.id)],
          ['CPUs', node.cpus],
          ['Memory', formatBytes(node.memoryBytes)],
        ),
      ),
    },
  ];
}

function diskSections({disks}: Hardware): readonly Section[] {
  const bytes = disks.reduce((sum, disk) => sum + disk.sizeBytes, 0n);
  const failing = disks.filter(({health}) => health?.verdict === Verdict.FAILED).length;
  return [
    {
      title: 'Disks',
      summary: `${disks.length} · ${formatDiskBytes(bytes)}${failing > 0 ? ` · ${failing} failing` : ''}`,
      hasTrouble: failing > 0,
      rows: disks.map(disk =>
        row(
          ['Name', disk.name],
          ['Model', disk.model],
          ['Size', formatDiskBytes(disk.sizeBytes)],
          ['Kind', words(disk.transport, disk.rotational ? 'spinning' : 'flash')],
          ['Health', healthWords(disk.health)],
          ['Serial', disk.serial],
          ['Firmware', disk.firmware],
          ['Where', disk.path || disk.pciAddress],
        ),
      ),
    },
  ];
}

function healthWords(health: Hardware['disks'][number]['health']): string {
  if (!health) return '';
  const worn = health.percentageUsed > 0 ? `${health.percentageUsed} % worn` : '';
  if (health.verdict === Verdict.FAILED) return words('FAILING:', health.reason, worn);
  return health.verdict === Verdict.PASSED ? words('passed', worn) : worn;
}

function networkSections({nics, lldpNeighbours}: Hardware): readonly Section[] {
  const neighbours = new Map(lldpNeighbours.map(neighbour => [neighbour.interface, neighbour]));
  return [
    {
      title: 'Network',
      summary: `${nics.filter(({link}) => link).length} of ${nics.length} linked`,
      rows: nics.map(nic => {
        const neighbour = neighbours.get(nic.name);
        return row(
          ['Name', nic.name],
          ['MAC', nic.macAddress],
          ['Link', nic.link ? speedWords(nic.speedMbps, nic.speedMbpsMax) : 'down'],
          ['Addresses', nic.ipAddresses.join(', ')],
          ['Switch', words(neighbour?.systemName, neighbour?.portId)],
          ['Driver', words(nic.driver, nic.firmwareVersion)],
          ['PCI', nic.pciAddress],
        );
      }),
    },
  ];
}

const speedWords = (mbps: number, max: number): string =>
  mbps > 0 && max > mbps ? `${mbps} of ${max} Mbit/s` : mbps > 0 ? `${mbps} Mbit/s` : 'up';

function deviceSections({
  gpus,
  pciDevices,
  usbDevices,
  operatingSystem,
  collectors,
}: Hardware): readonly Section[] {
  return [
    {
      title: 'GPUs',
      summary: String(gpus.length),
      rows: gpus.map(gpu =>
        row(['PCI', gpu.pciAddress], ['Model', gpu.model], ['Driver', gpu.driver]),
      ),
    },
    {
      title: 'PCI devices',
      summary: String(pciDevices.length),
      rows: pciDevices.map(device =>
        row(
          ['Address', device.address],
          ['Device', `${device.vendorId}:${device.deviceId}`],
          ['Class', device.classId],
          ['Driver', device.driver],
          [
            'Link',
            device.linkWidth > 0
              ? `x${device.linkWidth} of x${device.linkWidthMax}, ${device.linkSpeedGts} of ${device.linkSpeedGtsMax} GT/s`
              : '',
          ],
        ),
      ),
    },
    {
      title: 'USB devices',
      summary: String(usbDevices.length),
      rows: usbDevices.map(device =>
        row(
          ['Bus', device.busId],
          [
            'Device',
            words(device.manufacturer, device.product) || `${device.vendorId}:${device.productId}`,
          ],
          ['Serial', device.serial],
        ),
      ),
    },
    {
      title: 'Running system',
      summary: words(operatingSystem?.name, operatingSystem?.kernel),
      rows: operatingSystem
        ? [
            row(
              ['Name', operatingSystem.name],
              ['Kernel', operatingSystem.kernel],
              ['Host name', operatingSystem.hostName],
              ['Architecture', operatingSystem.architecture],
            ),
          ]
        : [],
    },
    {
      title: 'What could not be read',
      summary: '',
      rows: collectors
        .filter(({state}) => state === CollectorState.FAILED || state === CollectorState.TIMED_OUT)
        .map(collector =>
          row(['Collector', collector.name], ['Why', collector.reason || 'it took too long']),
        ),
    },
  ];
}

const row = (...entries: Row): Row => entries;
const words = (...parts: readonly (string | undefined)[]): string =>
  parts.filter(Boolean).join(' ');
