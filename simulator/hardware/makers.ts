import type {Random} from '../random.ts';
import {type CpuModel, cpus, type DiskModel, disks, type NicModel, nics} from './catalogue.ts';

const fillers = ['To be filled by O.E.M.', 'Default string'] as const;

export type Model = {
  readonly product: string;
  readonly board: string;
  readonly sockets: number;
  readonly dimmsPerSocket: number;
  readonly memory: 'DDR4' | 'DDR5';
  readonly memoryMts: number;
  readonly cpus: readonly [CpuModel, ...CpuModel[]];
  readonly bootDisks: readonly [DiskModel, ...DiskModel[]];
  readonly dataDisks: readonly [DiskModel, ...DiskModel[]];
  readonly dataDisksMax: number;
  readonly onboard: NicModel;
  readonly addIn: readonly [NicModel, ...NicModel[]];
  readonly firmware: readonly [string, ...string[]];
};

export type Maker = {
  readonly name: string;
  /** Of 100 machines. */
  readonly share: number;
  readonly manufacturer: string;
  readonly firmwareVendor: string;
  readonly chassisType: string;
  /** Absent: a machine without one. */
  readonly bmc?: {readonly manufacturer: string; readonly firmware: string};
  readonly hasTpm: boolean;
  readonly models: readonly [Model, ...Model[]];
  /** As it is printed on the machine, without our mark. */
  readonly serial: (random: Random, unique: string) => string;
  readonly boardSerial: (random: Random, serial: string) => string;
  readonly locator: (socket: number, slot: number) => {locator: string; bank: string};
};

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const base36 = `0123456789${letters}`;
const channel = (slot: number): string => letters[slot] ?? 'A';

const common = {
  memory: 'DDR4',
  memoryMts: 2933,
  dataDisksMax: 6,
  bootDisks: [disks.micron, disks.intelBoot],
  dataDisks: [disks.pm9a3, disks.p4510, disks.kioxia],
  addIn: [nics.cx5, nics.xxv710, nics.x520],
} as const;

/** Six makes in the shares of a mixed site, with the strings that their firmware really holds. */
export const makers: readonly [Maker, ...Maker[]] = [
  {
    name: 'dell',
    share: 30,
    manufacturer: 'Dell Inc.',
    firmwareVendor: 'Dell Inc.',
    chassisType: 'Rack Mount Chassis',
    bmc: {manufacturer: 'DELL', firmware: '7.00.30'},
    hasTpm: true,
    models: [
      {
        ...common,
        product: 'PowerEdge R740',
        board: '0923K0',
        sockets: 2,
        dimmsPerSocket: 12,
        cpus: [cpus.silver4210, cpus.gold6230],
        onboard: nics.bcm5720,
        firmware: ['2.19.1', '2.21.2'],
      },
      {
        ...common,
        product: 'PowerEdge R6525',
        board: '0GK70M',
        sockets: 2,
        dimmsPerSocket: 16,
        memoryMts: 3200,
        cpus: [cpus.epyc7302, cpus.epyc7543],
        onboard: nics.bcm5720,
        firmware: ['2.14.1'],
      },
    ],
    serial: (random, unique) => `${random.text(base36, 3)}${unique}`,
    boardSerial: (random, serial) => `.${serial}.CNFCP00${random.text(base36, 8)}.`,
    locator: (socket, slot) => ({locator: `${channel(socket)}${slot + 1}`, bank: ''}),
  },
  {
    name: 'hpe',
    share: 25,
    manufacturer: 'HPE',
    firmwareVendor: 'HPE',
    chassisType: 'Rack Mount Chassis',
    bmc: {manufacturer: 'Hewlett Packard Enterprise', firmware: '2.99'},
    hasTpm: true,
    models: [
      {
        ...common,
        product: 'ProLiant DL380 Gen10',
        board: 'ProLiant DL380 Gen10',
        sockets: 2,
        dimmsPerSocket: 12,
        cpus: [cpus.silver4210, cpus.gold6230],
        dataDisks: [disks.sas],
        onboard: nics.hpe331,
        firmware: ['U30', 'U30 v2.90'],
      },
      {
        ...common,
        product: 'ProLiant DL360 Gen11',
        board: 'ProLiant DL360 Gen11',
        sockets: 2,
        dimmsPerSocket: 16,
        memory: 'DDR5',
        memoryMts: 4800,
        cpus: [cpus.gold6430],
        onboard: nics.hpe331,
        firmware: ['1.54'],
      },
    ],
    serial: (random, unique) => `CZJ${random.integer(1, 9)}${random.integer(1, 9)}${unique}`,
    boardSerial: random => `PWFCN0${random.text(base36, 8)}`,
    locator: (socket, slot) => ({locator: `PROC ${socket + 1} DIMM ${slot + 1}`, bank: ''}),
  },
  {
    name: 'supermicro',
    share: 20,
    manufacturer: 'Supermicro',
    firmwareVendor: 'American Megatrends Inc.',
    chassisType: 'Other',
    bmc: {manufacturer: 'Super Micro Computer Inc.', firmware: '1.74'},
    hasTpm: false,
    models: [
      {
        ...common,
        product: 'SYS-1029P-WTR',
        board: 'X11DDW-L',
        sockets: 2,
        dimmsPerSocket: 6,
        cpus: [cpus.silver4210, cpus.gold6230],
        dataDisks: [disks.exos, disks.pm9a3],
        onboard: nics.i350,
        firmware: ['3.6', '3.9'],
      },
      {
        ...common,
        product: 'AS -1114S-WN10RT',
        board: 'H12SSW-NTR',
        sockets: 1,
        dimmsPerSocket: 8,
        memoryMts: 3200,
        cpus: [cpus.epyc7302, cpus.epyc7543],
        dataDisks: [disks.pm9a3Large, disks.kioxia],
        onboard: nics.i350,
        firmware: ['2.7'],
      },
    ],
    serial: (random, unique) =>
      `A${random.integer(100_000, 999_999)}X${random.integer(1, 9)}${unique}`,
    boardSerial: random => `UM${random.integer(17, 23)}CS0${random.integer(10_000, 99_999)}`,
    locator: (socket, slot) => ({
      locator: `P${socket + 1}-DIMM${channel(slot)}1`,
      bank: `P${socket}_Node0_Channel${slot}_Dimm0`,
    }),
  },
  {
    name: 'lenovo',
    share: 10,
    manufacturer: 'Lenovo',
    firmwareVendor: 'Lenovo',
    chassisType: 'Rack Mount Chassis',
    bmc: {manufacturer: 'Lenovo', firmware: '8.42'},
    hasTpm: true,
    models: [
      {
        ...common,
        product: 'ThinkSystem SR650 V2',
        board: 'SB27A92818',
        sockets: 2,
        dimmsPerSocket: 16,
        memoryMts: 3200,
        cpus: [cpus.gold6338],
        onboard: nics.x722,
        firmware: ['AFE126H-1.60'],
      },
    ],
    serial: (random, unique) => `J30${random.text(base36, 1)}${unique}`,
    boardSerial: random => `A1SH${random.text(base36, 7)}`,
    locator: (socket, slot) => ({locator: `DIMM ${socket * 16 + slot + 1}`, bank: `Bank ${slot}`}),
  },
  {
    name: 'gigabyte',
    share: 8,
    manufacturer: 'GIGABYTE',
    firmwareVendor: 'GIGABYTE',
    chassisType: 'Rack Mount Chassis',
    bmc: {manufacturer: 'GIGABYTE', firmware: '12.61'},
    hasTpm: false,
    models: [
      {
        ...common,
        product: 'R183-Z90-AAD1-000',
        board: 'MZ93-FS0-000',
        sockets: 2,
        dimmsPerSocket: 12,
        memory: 'DDR5',
        memoryMts: 4800,
        cpus: [cpus.epyc9354],
        dataDisks: [disks.pm9a3Large, disks.kioxia],
        onboard: nics.i210,
        firmware: ['R14_F30'],
      },
    ],
    serial: (random, unique) => `GNG6N${random.integer(1000, 9999)}${unique}`,
    boardSerial: random => `JAG6N${random.text(base36, 7)}`,
    locator: (socket, slot) => ({
      locator: `DIMM_P${socket}_${channel(slot)}0`,
      bank: `P${socket} CHANNEL ${channel(slot)}`,
    }),
  },
  {
    name: 'whitebox',
    share: 7,
    manufacturer: fillers[0],
    firmwareVendor: 'American Megatrends International, LLC.',
    chassisType: 'Desktop',
    hasTpm: false,
    models: [
      {
        ...common,
        product: fillers[0],
        board: 'X570D4U',
        sockets: 1,
        dimmsPerSocket: 4,
        memoryMts: 3200,
        cpus: [cpus.ryzen5950],
        bootDisks: [disks.evo],
        dataDisks: [disks.ironwolf, disks.evo],
        dataDisksMax: 3,
        onboard: nics.i225,
        firmware: ['P1.40', 'P1.57'],
      },
      {
        ...common,
        product: 'Default string',
        board: 'E3C256D4U',
        sockets: 1,
        dimmsPerSocket: 4,
        memoryMts: 3200,
        cpus: [cpus.e2336],
        bootDisks: [disks.evo],
        dataDisks: [disks.ironwolf],
        dataDisksMax: 3,
        onboard: nics.i225,
        firmware: ['L2.05'],
      },
    ],
    serial: (random, unique) => `${random.integer(1000, 9999)}${unique}`,
    // Cheap boards share these with thousands of others: Muster must not take them for identities.
    boardSerial: random => random.pick(fillers),
    locator: (_socket, slot) => ({
      locator: `DIMM ${slot % 2}`,
      bank: `P0 CHANNEL ${channel(slot >> 1)}`,
    }),
  },
];
