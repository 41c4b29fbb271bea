import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {type ImportMachine, ImportMachineSchema} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {HardwareSummarySchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  countOf,
  type Json,
  listOf,
  objectOf,
  parseObject,
  parseTime,
  textOf,
} from './metal-enrollment-values.ts';
import type {Row} from './source.ts';

/** What a key may look like; as in the contract. */
export const originIdPattern = /^[\x21-\x7e]{1,128}$/;

const macAddressesMax = 64;
const disksMax = 32;
const nixosConfigCharactersMax = 4_194_304;
const descriptionCharactersMax = 65_536;
const wordCharactersMax = 1024;
const macCharactersMax = 256;
const cpuThreadsMax = 2 ** 32 - 1;
/** What the registration script wrote where it could not read. */
const unread = /^(unknown|not specified|n\/a)?$/i;

export type ReadMachineRow = {
  readonly machine: ImportMachine;
  readonly losses: readonly string[];
  /** Whole, as it was reported; undefined: none. */
  readonly hardware: Json | undefined;
  readonly hasBmc: boolean;
};

/** A row of `machines` as the contract has it. */
export function readMachineRow(row: Row): ReadMachineRow {
  const losses: string[] = [];
  const hardware = readJson(row.hardware, 'hardware', losses);
  const bmc = readJson(row.bmc_info, 'BMC entry', losses);
  const bounded = (text: string | undefined, what: string, max: number): string => {
    if ((text ?? '').length <= max) return text ?? '';
    losses.push(`its ${what} has more than ${max} characters`);
    return '';
  };
  const {cpu, memory, disks, nics, manufacturer, model} = hardware ?? {};
  const createTime = parseTime(row.enrolled_at);
  const macs = [row.mac_address ?? '', ...listOf(nics).map(nic => textOf(nic.mac_address))];
  const named = macs.filter(mac => mac.trim() !== '' && mac.length <= macCharactersMax);
  const machine = create(ImportMachineSchema, {
    originId: row.id ?? '',
    serviceTag: bounded(serialOf(row, hardware), 'serial number', wordCharactersMax),
    macAddresses: [...new Set(named)].slice(0, macAddressesMax),
    hostname: bounded(row.hostname, 'host name', wordCharactersMax),
    description: bounded(row.description, 'description', descriptionCharactersMax),
    nixosConfig: bounded(row.nixos_config, 'NixOS configuration', nixosConfigCharactersMax),
    labels: labelsOf(row, bmc),
    manufacturer: wordOf(manufacturer),
    product: wordOf(model),
    diskSerials: listOf(disks)
      .map(disk => wordOf(disk.serial))
      .filter(serial => serial !== '')
      .slice(0, disksMax),
    hardware: create(HardwareSummarySchema, {
      cpuThreads: threadsOf(objectOf(cpu)),
      cpuModel: wordOf(objectOf(cpu).model).slice(0, 256),
      memoryBytes: BigInt(countOf(objectOf(memory).total_bytes) ?? 0),
      diskCount: listOf(disks).length,
      diskBytes: BigInt(
        listOf(disks).reduce((sum, disk) => sum + (countOf(disk.size_bytes) ?? 0), 0),
      ),
    }),
    ...(createTime && {createTime: timestampFromDate(createTime)}),
  });
  return {machine, losses, hardware, hasBmc: bmc !== undefined};
}

function readJson(text: string | undefined, what: string, losses: string[]): Json | undefined {
  try {
    return parseObject(text);
  } catch {
    losses.push(`its ${what} is no JSON object`);
    return undefined;
  }
}

/**
 * The service tag is the serial number without its spaces or, where firmware has none, the MAC's digits: a machine that reports itself has the
 * serial number as it is, and no such tag.
 */
function serialOf(row: Row, hardware: Json | undefined): string {
  const tag = row.service_tag ?? '';
  const serial = textOf(hardware?.serial_number);
  if (serial.replaceAll(/\s/g, '') === tag.replaceAll(/\s/g, '')) return serial.trim() || tag;
  const digits = (row.mac_address ?? '').replaceAll(/[^0-9a-f]/gi, '').toLowerCase();
  return digits.length === 12 && tag.toLowerCase() === digits ? wordOf(serial) : tag;
}

/** lscpu's numbers: cores of a socket, threads of a core. */
function threadsOf(cpu: Json): number {
  const threads = [cpu.sockets, cpu.cores, cpu.threads].reduce<number>(
    (product, value) => product * (countOf(value) || 1),
    1,
  );
  return countOf(cpu.cores) === undefined || threads > cpuThreadsMax ? 0 : threads;
}

function labelsOf({status}: Row, bmc: Json | undefined): Record<string, string> {
  const address = wordOf(bmc?.ip_address);
  return {
    ...(status ? {'metal-enrollment/status': status.slice(0, 256)} : {}),
    ...(address ? {'metal-enrollment/bmc-address': address.slice(0, 256)} : {}),
  };
}

function wordOf(value: unknown): string {
  const text = textOf(value).trim();
  return unread.test(text) ? '' : text.slice(0, wordCharactersMax);
}
