import type {
  CpuJson,
  DiskJson,
  HardwareJson,
  MemoryJson,
  NicJson,
  PciDeviceJson,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {Random} from '../random.ts';
import {type DiskModel, dimmMakers} from './catalogue.ts';
import type {Maker, Model} from './makers.ts';

const gibibyte = 2 ** 30;
const serialAlphabet = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZ';
/** MACs of a machine are consecutive within the block of its number. */
const macsPerMachine = 16;
const bmcMac = 15;

type Making = {
  readonly random: Random;
  readonly maker: Maker;
  readonly model: Model;
  readonly sockets: number;
  /** Moves all MACs of a seed. */
  readonly macMask: number;
  readonly index: number;
};

type Devices = HardwareJson & {
  readonly nics: NicJson[];
  readonly disks: DiskJson[];
};

/** Everything that is plugged in. */
export function makeDevices(making: Making): Devices {
  const {random, maker, sockets, model} = making;
  const cpus = makeCpus(making);
  const memory = makeMemory(making);
  const {disks, controllers} = makeDisks(making);
  const {nics, pciDevices} = makeNics(making);
  const perNode = Number(memory.totalBytes) / sockets;
  const threads = cpus.reduce((sum, cpu) => sum + (cpu.threads ?? 0), 0);
  return {
    cpus,
    memory,
    disks,
    nics,
    pciDevices: [...controllers, ...pciDevices],
    numaNodes: Array.from({length: sockets}, (_, id) => ({
      id,
      memoryBytes: String(perNode),
      cpus: `${(id * threads) / sockets}-${((id + 1) * threads) / sockets - 1}`,
    })),
    ...(maker.hasTpm && random.chance(0.8)
      ? {tpm: {version: '2.0', manufacturer: 'IFX', ekHash: random.hex(64)}}
      : {}),
    ...(maker.bmc
      ? {
          bmc: {
            macAddress: macOf(making, random.pick(model.onboard.ouis), bmcMac),
            ipAddress: `10.${random.integer(0, 255)}.${random.integer(0, 255)}.${random.integer(1, 254)}`,
            firmwareVersion: maker.bmc.firmware,
            manufacturer: maker.bmc.manufacturer,
          },
        }
      : {}),
    lldpNeighbours: nics.slice(0, 1).map(({name = ''}) => ({
      interface: name,
      chassisId: `50:6b:4b:00:${random.hex(2)}:${random.hex(2)}`,
      systemName: `leaf${random.integer(1, 40)}`,
      portId: `swp${random.integer(1, 48)}`,
    })),
  };
}

function makeCpus({random, model, sockets}: Making): CpuJson[] {
  const {manufacturer, model: name, cores, maxMhz, microcode} = random.pick(model.cpus);
  return Array.from({length: sockets}, (_, socket) => ({
    socket: `CPU${socket + 1}`,
    manufacturer,
    model: name,
    cores,
    threads: cores * 2,
    maxMhz,
    microcode,
    architecture: 'x86_64',
  }));
}

function makeMemory({random, maker, model, sockets}: Making): MemoryJson {
  const {manufacturer, part} = random.pick(dimmMakers);
  const sizeBytes = random.pick([16, 32, 32, 64]) * gibibyte;
  const populated = random.pick([0.5, 0.5, 1]) * model.dimmsPerSocket;
  const dimms = Array.from({length: sockets}, (_, socket) =>
    Array.from({length: populated}, (_, slot) => ({
      ...maker.locator(socket, slot),
      sizeBytes: String(sizeBytes),
      type: model.memory,
      formFactor: 'DIMM',
      speedMts: model.memoryMts,
      configuredSpeedMts: model.memoryMts,
      manufacturer,
      serial: random.text('0123456789ABCDEF', 8),
      partNumber: part,
    })),
  ).flat();
  return {
    totalBytes: String(sizeBytes * dimms.length),
    slots: model.sockets * model.dimmsPerSocket,
    dimms,
    errorCorrection: 'Multi-bit ECC',
  };
}

function makeDisks({random, model}: Making): {
  readonly disks: DiskJson[];
  readonly controllers: PciDeviceJson[];
} {
  const boot = random.pick(model.bootDisks);
  const data = random.pick(model.dataDisks);
  const bootCount = random.pick([1, 2, 2]);
  const dataCount = random.integer(0, model.dataDisksMax);
  const all = [
    ...Array.from({length: bootCount}, () => boot),
    ...Array.from({length: dataCount}, () => data),
  ];
  let letter = 0;
  let nvme = 0;
  const disks = all.map(kind =>
    kind.transport === 'nvme'
      ? makeDisk(random, kind, {
          name: `nvme${nvme}n1`,
          pciAddress: `0000:${(0x41 + nvme++).toString(16)}:00.0`,
        })
      : makeDisk(random, kind, {
          name: `sd${String.fromCharCode(97 + letter++)}`,
          pciAddress: '0000:00:17.0',
          port: letter,
        }),
  );
  const ahci = letter > 0 ? [pciDevice('0000:00:17.0', '8086', 'a182', '010601', 'ahci')] : [];
  const nvmes = disks
    .filter(({transport}) => transport === 'nvme')
    .map(({pciAddress = ''}) => pciDevice(pciAddress, '144d', 'a80a', '010802', 'nvme'));
  return {disks, controllers: [...ahci, ...nvmes]};
}

function makeDisk(
  random: Random,
  {model, sizeBytes, transport, rotational, firmware, serialPrefix}: DiskModel,
  place: {readonly name: string; readonly pciAddress: string; readonly port?: number},
): DiskJson {
  const hours = random.integer(500, 40_000);
  return {
    name: place.name,
    model,
    serial: `${serialPrefix}${random.text(serialAlphabet, 9)}`,
    wwn: transport === 'nvme' ? `eui.${random.hex(16)}` : `0x5000c500${random.hex(8)}`,
    sizeBytes: String(sizeBytes),
    rotational,
    transport,
    firmware: random.pick(firmware),
    logicalBlockBytes: 512,
    physicalBlockBytes: rotational ? 4096 : 512,
    pciAddress: place.pciAddress,
    path:
      place.port === undefined
        ? `pci-${place.pciAddress}-nvme-1`
        : `pci-${place.pciAddress}-ata-${place.port}`,
    health: {
      verdict: 'VERDICT_PASSED',
      powerOnHours: String(hours),
      ...(rotational ? {} : {percentageUsed: Math.floor(hours / 1000)}),
    },
  };
}

function makeNics(making: Making): {
  readonly nics: NicJson[];
  readonly pciDevices: PciDeviceJson[];
} {
  const {random, model} = making;
  const addIn = {kind: random.pick(model.addIn), bus: 0x3b, prefix: 'ens1f'};
  const cards = [
    {kind: model.onboard, bus: 0x04, prefix: 'eno'},
    ...(random.chance(0.6) ? [addIn] : []),
  ].map(card => ({...card, oui: random.pick(card.kind.ouis)}));
  let count = 0;
  const nics = cards.flatMap(({kind, bus, prefix, oui}) =>
    Array.from({length: kind.ports}, (_, port): NicJson => {
      const mac = macOf(making, oui, count++);
      const link = port === 0 || random.chance(0.5);
      return {
        name: `${prefix}${port + 1}`,
        macAddress: mac,
        permanentMacAddress: mac,
        driver: kind.driver,
        firmwareVersion: kind.firmware,
        pciAddress: addressOf(bus, port),
        ...(link ? {link, speedMbps: kind.speedMbps} : {}),
        speedMbpsMax: kind.speedMbps,
        mtu: 1500,
        vendorId: kind.vendorId,
        deviceId: kind.deviceId,
        type: 'ethernet',
      };
    }),
  );
  const pciDevices = cards.flatMap(({kind, bus}) =>
    Array.from({length: kind.ports}, (_, port) =>
      pciDevice(addressOf(bus, port), kind.vendorId, kind.deviceId, '020000', kind.driver),
    ),
  );
  return {nics, pciDevices};
}

const addressOf = (bus: number, port: number): string =>
  `0000:${bus.toString(16).padStart(2, '0')}:00.${port}`;

function pciDevice(
  address: string,
  vendorId: string,
  deviceId: string,
  classId: string,
  driver: string,
): PciDeviceJson {
  return {
    address,
    vendorId,
    deviceId,
    classId,
    driver,
    linkSpeedGts: 8,
    linkSpeedGtsMax: 8,
    linkWidth: 4,
    linkWidthMax: 4,
  };
}

/** The maker's prefix, then the machine's block. XOR keeps the addresses of a seed apart. */
function macOf({macMask, index}: Making, oui: string, number: number): string {
  const low = ((index * macsPerMachine + number) ^ macMask) & 0xff_ff_ff;
  const digits = low.toString(16).padStart(6, '0');
  return `${oui}:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4)}`;
}
