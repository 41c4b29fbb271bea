import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {addEvidence, findMachinesByEvidence} from '../store/evidence.ts';
import {
  countMachinesSince,
  findBootMacs,
  insertMachine,
  type Machine,
  type MachineChange,
  type MachineState,
  findMachineForUpdate,
} from '../store/machines.ts';
import {created} from './changes.ts';
import type {Deps} from './deps.ts';
import {macKind, parseMacAddress} from './identifiers.ts';
import {
  type Evidence,
  type EvidenceItem,
  type EvidenceKind,
  identify,
  type Match,
} from './identity.ts';

const candidatesMax = 32;
const macAddressesMax = 256;
/** Of one machine over its whole life: parts are exchanged, but not for ever. */
const evidenceOfMachineMax = 1024;
const hourMs = 3_600_000;
/** Another server takes in no more meanwhile than half of what a site allows in an hour. */
const countKeptMs = 10_000;

export type NewMachine = {
  readonly state: MachineState;
  readonly actor: string;
  readonly reason: string;
  readonly items: readonly EvidenceItem[];
  readonly fields: MachineChange;
  /** Since when it is known, when that was elsewhere. */
  readonly createTime?: Date | undefined;
};

export type Recognition = ReturnType<typeof createRecognition>;

/** Which machine this evidence is about, and new machines: every way in goes through here. */
export function createRecognition({
  now,
  newId,
  newMachinesPerHourMax,
}: Pick<Deps, 'now' | 'newId'> & {readonly newMachinesPerHourMax: number}) {
  let counted = {timeMs: -Infinity, machines: 0};

  /** Of the last hour. Counted each time only when the limit comes near: a site of thousands that powers on would count all of them for each. */
  async function countNew(tx: Sql, time: Date): Promise<number> {
    const timeMs = time.getTime();
    const isKept = Math.abs(timeMs - counted.timeMs) < countKeptMs;
    if (!isKept || counted.machines >= newMachinesPerHourMax / 2)
      counted = {timeMs, machines: await countMachinesSince(tx, new Date(timeMs - hourMs))};
    const {machines} = counted;
    counted = {...counted, machines: machines + 1};
    return machines;
  }

  return {
    async recognise(sql: Sql, items: readonly EvidenceItem[]): Promise<Match> {
      if (items.length === 0) return {kind: 'none', scores: []};
      const found = await findMachinesByEvidence(sql, items, candidatesMax);
      const candidates = found.map(({evidence, ...machine}) => ({
        ...machine,
        evidence: evidence.map(({kind, value}) => ({kind: kind as EvidenceKind, value})),
      }));
      return identify(items, candidates);
    },

    /** Throws resource_exhausted when too many machines came within the hour. */
    async add(
      tx: Sql,
      {state, actor, reason, items, fields, createTime}: NewMachine,
    ): Promise<Machine> {
      const time = now();
      // Whoever registers many machines does so on purpose; they are not counted either.
      const isExpected = state === 'expected';
      const count = isExpected ? 0 : await countNew(tx, time);
      if (count >= newMachinesPerHourMax)
        throw new DomainError(
          'resource_exhausted',
          `Cannot take in a new machine: ${count} came within the last hour; raise NEW_MACHINES_PER_HOUR_MAX if that is right`,
        );
      const id = newId();
      const times = {stateTime: time, createTime: createTime ?? time, updateTime: time};
      await insertMachine(tx, {...fields, id, state, stateReason: reason, ...times});
      await addEvidence(tx, id, items, evidenceOfMachineMax);
      await appendEvent(tx, {
        id: newId(),
        time,
        type: `machine.${state}`,
        actor,
        machineId: id,
        subject: `machines/${id}`,
        data: {reason, ...(fields.quarantineReason ? {quarantine: fields.quarantineReason} : {})},
        change: created({...fields, id, state}),
      });
      const machine = await findMachineForUpdate(tx, id);
      if (!machine) throw new Error(`Machine "${id}" vanished in its own transaction`);
      return machine;
    },

    /**
     * Without the MACs that other machines have enrolled from: whoever lists the NIC of another takes neither its boot answer nor its name.
     * The MAC of `bootMacAddress` stays. The caller holds the evidence's locks.
     */
    async withoutMacsOfOthers(
      tx: Sql,
      evidence: Evidence,
      machineId: string | undefined,
    ): Promise<Evidence> {
      const macs = macsOf(evidence.macAddresses);
      const owned = await findBootMacs(tx, macs);
      const others = new Set(
        owned.filter(owner => owner.machineId !== machineId).map(({mac}) => mac),
      );
      others.delete(parseMacAddress(evidence.bootMacAddress) ?? '');
      return {...evidence, macAddresses: macs.filter(mac => !others.has(mac))};
    },

    learn: (tx: Sql, machineId: string, items: readonly EvidenceItem[]) =>
      addEvidence(tx, machineId, items, evidenceOfMachineMax),
  };
}

/** What the machine's row shows of the evidence; values as they were reported, but for MACs. */
export function machineFields(evidence: Evidence): MachineChange {
  const macAddresses = macsOf([evidence.bootMacAddress, ...evidence.macAddresses]);
  return {
    serviceTag: evidence.systemSerial.trim(),
    uuid: evidence.uuid.trim().toLowerCase(),
    manufacturer: evidence.manufacturer.trim(),
    product: evidence.product.trim(),
    macAddress: parseMacAddress(evidence.bootMacAddress) ?? macAddresses[0] ?? '',
    macAddresses,
    firmwareMode: evidence.firmwareMode.trim(),
  };
}

/** Without what this report does not know: it takes nothing away. */
export function reported(fields: MachineChange): MachineChange {
  const said = Object.entries(fields).filter(
    ([, value]) => value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(said);
}

/** Each once; without group, zero and example addresses. */
export function macsOf(texts: readonly string[]): readonly string[] {
  const macs = texts
    .map(parseMacAddress)
    .filter(mac => mac !== undefined)
    .filter(mac => macKind(mac) !== undefined);
  return [...new Set(macs)].slice(0, macAddressesMax);
}
