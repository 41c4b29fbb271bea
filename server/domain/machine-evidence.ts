import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {
  type BootIdentity,
  type EvidenceRow,
  listBootIdentities,
  listEvidence,
} from '../store/evidence.ts';
import {findMachine} from '../store/machines.ts';
import {parseMacAddress, parseSerial, parseUuid} from './identifiers.ts';

const bootsMax = 1000;
const combinationsMax = 50;

/** Boots that named the same values. */
export type EvidenceBoots = {
  readonly values: readonly string[];
  readonly count: number;
  readonly lastTime: Date;
  readonly ipAddress: string;
};

export type MachineEvidence = {
  readonly items: readonly EvidenceRow[];
  readonly boots: readonly EvidenceBoots[];
};

/** What a record is recognised by, and what of it came in the same boots. Throws not_found. */
export async function readMachineEvidence(sql: Sql, machineId: string): Promise<MachineEvidence> {
  const machine = await findMachine(sql, machineId);
  if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
  const items = await listEvidence(sql, machineId);
  const said = await listBootIdentities(sql, machineId, {bootsMax, limit: combinationsMax});
  return {items, boots: bootsOf(items, said)};
}

/** In the order of `said`. Whatever a boot said that the record is not recognised by is left out. */
export function bootsOf(
  items: readonly EvidenceRow[],
  said: readonly BootIdentity[],
): readonly EvidenceBoots[] {
  const known = new Set(items.map(({value}) => value));
  const found = new Map<string, EvidenceBoots>();
  for (const {macAddress, uuid, serial, bootCount, lastTime, ipAddress} of said) {
    const values = [parseMacAddress(macAddress), parseUuid(uuid), parseSerial(serial)]
      .filter(value => value !== undefined)
      .filter(value => known.has(value));
    if (values.length === 0) continue;
    const key = values.join(' ');
    const same = found.get(key);
    found.set(
      key,
      same
        ? {...same, count: same.count + bootCount}
        : {values, count: bootCount, lastTime, ipAddress},
    );
  }
  return [...found.values()];
}
