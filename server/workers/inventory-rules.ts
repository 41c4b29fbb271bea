import type {Hardware} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {PartKind} from '../domain/hardware-parts.ts';
import {baseboard, chassis, cpu, firmware, memory, system} from './inventory-board-rules.ts';
import {bmc, dimm, disk, gpu, nic, pci, tpm} from './inventory-device-rules.ts';
import type {Field, Rule} from './inventory-rule.ts';

/** Lists of the report that are no hardware of their own, and why. */
export const ignoredLists: Partial<Readonly<Record<Field<Hardware>, string>>> = {
  collectTime: 'a time',
  collectors:
    'how the reading went: times and tools; a kind that could not be read stays as it was',
  usbDevices: 'come and go with hands and the virtual media of BMCs',
  numaNodes: 'follow from CPUs and modules; the memory of a node is what this kernel left over',
  lldpNeighbours: 'cabling; one frame that is not heard would be a change',
  operatingSystem: 'software: the boot timeline tells what ran',
};

export type AnyRule = Rule<never>;

const rules: Readonly<Record<PartKind, unknown>> = {
  system,
  baseboard,
  chassis,
  firmware,
  cpu,
  memory,
  dimm,
  disk,
  nic,
  pci,
  gpu,
  tpm,
  bmc,
};

export const partRules = rules as Readonly<Record<PartKind, AnyRule>>;
