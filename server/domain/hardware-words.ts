import type {PartChange} from './hardware-diff.ts';
import type {Part, PartKind} from './hardware-parts.ts';

const kindWords: Readonly<Record<PartKind, string>> = {
  system: 'System',
  baseboard: 'Baseboard',
  chassis: 'Chassis',
  firmware: 'Firmware',
  cpu: 'CPU',
  memory: 'Memory',
  dimm: 'DIMM',
  disk: 'Disk',
  nic: 'NIC',
  pci: 'PCI device',
  gpu: 'GPU',
  tpm: 'TPM',
  bmc: 'BMC',
};

/** "Disk S5Y1NJ0R000001 (Samsung SSD 870)" */
export function namePart({kind, serial, model}: Part): string {
  const named = [kindWords[kind], serial].filter(Boolean).join(' ');
  return model ? `${named} (${model})` : named;
}

/** " in slot P1-DIMMA1"; nothing for what every machine has once. */
export const nameSlot = ({slot}: Pick<Part, 'slot'>): string => (slot ? ` in slot ${slot}` : '');

/** One line for people. */
export function describeChange(change: PartChange): string {
  switch (change.type) {
    case 'added':
      return `${namePart(change.after)}${nameSlot(change.after)} added`;
    case 'removed':
      return `${namePart(change.before)}${nameSlot(change.before)} removed`;
    case 'replaced':
      return `${namePart(change.before)}${nameSlot(change.before)} replaced by ${namePart(change.after)}`;
    case 'moved':
      return `${namePart(change.after)} moved from slot ${change.before.slot} to slot ${change.after.slot}`;
    case 'changed':
      return `${namePart(change.after)}${nameSlot(change.after)}: ${change.attributes
        .map(({name, before, after}) => `${name} ${before || 'unknown'} → ${after || 'unknown'}`)
        .join(', ')}`;
    default:
      throw new Error(`Cannot describe ${JSON.stringify(change satisfies never)}`);
  }
}
