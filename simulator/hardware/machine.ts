import type {EvidenceJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {createRandom, type Random} from '../random.ts';
import {makeDevices} from './devices.ts';
import {type Maker, makers, type Model} from './makers.ts';

/** Every serial begins with it: how people and `muster simulate --clean` tell these machines from real ones. */
export const serialMark = 'SIM-';

const base32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** So many characters of base 32 count the machines of a seed. */
const uniqueLength = 4;
export const machinesMax = 32 ** uniqueLength;

export type SimulatedHardware = {
  readonly maker: string;
  readonly serial: string;
  readonly uuid: string;
  readonly bootMac: string;
  /** Of the first NICs, as iPXE numbers them. */
  readonly macs: readonly string[];
  readonly manufacturer: string;
  readonly product: string;
  readonly assetTag: string;
  readonly evidence: EvidenceJson;
  /** What the agent would collect, without the time. */
  readonly hardware: HardwareJson;
};

/** One machine of the fleet, from seed and number alone: the same on every host and in every run. */
export function makeHardware(seed: string, index: number): SimulatedHardware {
  const random = createRandom(`${seed}/${index}`);
  const maker = pickMaker(random);
  const model = random.pick(maker.models);
  const printed = maker.serial(random, uniquePart(seed, index));
  const serial = `${serialMark}${printed}`;
  const uuid = makeUuid(maker, random, printed);
  const mode = random.chance(0.75) ? 'uefi' : 'bios';
  const assetTag = random.chance(0.6)
    ? `RACK${random.integer(1, 40)}-U${String(random.integer(1, 42)).padStart(2, '0')}`
    : '';
  const boardSerial = maker.boardSerial(random, printed);
  const sockets = model.sockets === 2 && random.chance(0.8) ? 2 : 1;
  const devices = makeDevices({random, maker, model, sockets, macMask: macMask(seed), index});
  const {manufacturer} = maker;
  const {product} = model;
  const macs = devices.nics.map(({permanentMacAddress}) => permanentMacAddress ?? '');
  const [bootMac = ''] = macs;

  const hardware: HardwareJson = {
    system: {manufacturer, product, serial, uuid, ...(assetTag ? {sku: assetTag} : {})},
    baseboard: {manufacturer, product: model.board, serial: boardSerial},
    chassis: {manufacturer, type: maker.chassisType, serial, ...(assetTag ? {assetTag} : {})},
    firmware: {
      vendor: maker.firmwareVendor,
      version: random.pick(model.firmware),
      releaseDate: `0${random.integer(1, 9)}/1${random.integer(0, 9)}/202${random.integer(2, 5)}`,
      mode: mode === 'uefi' ? 'MODE_UEFI' : 'MODE_BIOS',
      secureBoot: mode === 'uefi' ? 'SECURE_BOOT_DISABLED' : 'SECURE_BOOT_UNSUPPORTED',
    },
    ...devices,
    operatingSystem: {
      name: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.1.0-31-amd64',
      architecture: 'x64',
      hostName: 'muster',
    },
    collectors: collectors(devices),
  };
  return {
    maker: maker.name,
    serial,
    uuid,
    bootMac,
    macs,
    manufacturer,
    product,
    assetTag,
    hardware,
    evidence: evidenceOf(hardware, {bootMac, macs, mode}),
  };
}

/** What the agent sends when it enrols; of hardware as the inventory tells it. */
function evidenceOf(
  {system, baseboard, chassis, disks, memory, tpm, bmc}: HardwareJson,
  {
    bootMac,
    macs,
    mode,
  }: {readonly bootMac: string; readonly macs: readonly string[]; readonly mode: string},
): EvidenceJson {
  return {
    uuid: system?.uuid ?? '',
    systemSerial: system?.serial ?? '',
    boardSerial: baseboard?.serial ?? '',
    chassisSerial: chassis?.serial ?? '',
    macAddresses: [...macs],
    ...(bmc?.macAddress ? {bmcMacAddress: bmc.macAddress} : {}),
    ...(tpm?.ekHash ? {tpmEkHash: tpm.ekHash} : {}),
    diskSerials: disks?.flatMap(({serial}) => serial ?? []) ?? [],
    dimmSerials: memory?.dimms?.flatMap(({serial}) => serial ?? []) ?? [],
    manufacturer: system?.manufacturer ?? '',
    product: system?.product ?? '',
    bootMacAddress: bootMac,
    firmwareMode: mode,
  };
}

function pickMaker(random: Random): Maker {
  let left = random.next() * makers.reduce((sum, {share}) => sum + share, 0);
  for (const maker of makers) {
    left -= maker.share;
    if (left < 0) return maker;
  }
  return makers[0];
}

/** Four characters that no other machine of this seed has: the number, moved by the seed. */
function uniquePart(seed: string, index: number): string {
  const offset = createRandom(`${seed}/serials`).integer(0, machinesMax - 1);
  // An odd factor permutes the numbers below a power of two.
  let rest = (index * 387_421 + offset) % machinesMax;
  let text = '';
  for (let place = 0; place < uniqueLength; place++) {
    text = (base32[rest % 32] ?? '0') + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

const macMask = (seed: string): number => createRandom(`${seed}/macs`).integer(0, 2 ** 24 - 1);

/** Dell and HPE write the serial into the UUID; the others count or roll dice. */
function makeUuid({name}: Maker, random: Random, printed: string): string {
  const code = (at: number) => printed.charCodeAt(at).toString(16).padStart(2, '0');
  if (name === 'dell') {
    const first = (printed.charCodeAt(0) | 0x80).toString(16);
    return `4c4c4544-00${code(1)}-${code(2)}10-80${code(3)}-${first}c04f${code(4)}${code(5)}${code(6)}`;
  }
  if (name === 'hpe') {
    const tail = Array.from({length: 8}, (_, at) => code(printed.length - 8 + at)).join('');
    return `37353738-3036-5a43-${tail.slice(0, 4)}-${tail.slice(4)}`;
  }
  const variant = random.pick(['8', '9', 'a', 'b']);
  return `${random.hex(8)}-${random.hex(4)}-4${random.hex(3)}-${variant}${random.hex(3)}-${random.hex(12)}`;
}

/** Names as agent/inventory/collect.ts gives them. */
function collectors({tpm, bmc}: HardwareJson): NonNullable<HardwareJson['collectors']> {
  const collected = [
    ...['system', 'firmware', 'cpus', 'memory', 'disks', 'nics', 'pciDevices', 'numaNodes'],
    ...['lldpNeighbours', 'operatingSystem', ...(tpm ? ['tpm'] : []), ...(bmc ? ['bmc'] : [])],
  ];
  const absent = [...(tpm ? [] : ['tpm']), ...(bmc ? [] : ['bmc']), 'gpus', 'usbDevices'];
  return [
    ...collected.map(name => ({name, state: 'STATE_COLLECTED' as const, durationMs: 12})),
    ...absent.map(name => ({
      name,
      state: 'STATE_ABSENT' as const,
      reason: 'The machine has none',
    })),
  ];
}

export type {Maker, Model};
