import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent, type NewEvent} from '../store/events.ts';
import {
  addEvidence,
  type EvidenceOfMachine,
  findMachinesByEvidence,
  findMachinesByEvidenceLists,
  insertEvidence,
} from '../store/evidence.ts';
import {insertMachines, type NewMachineRow} from '../store/machine-batches.ts';
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
import {createCandidates} from './candidates.ts';
import type {Deps} from './deps.ts';
import {macKind, parseMacAddress} from './identifiers.ts';
import {
  type Candidate,
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

/** Each finds what the one before left, as if one had been written after the other. */
export type RecognitionBatch = {
  recognise(items: readonly EvidenceItem[]): Match;
  /** The event is the caller's to append, after `write`. */
  add(machine: NewMachine & {readonly state: 'expected'}): {
    readonly id: string;
    readonly event: NewEvent;
  };
  write(): Promise<void>;
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

  /** Its row, and what the journal tells of it. */
  function describe({state, actor, reason, fields, createTime}: NewMachine): {
    readonly row: NewMachineRow;
    readonly event: NewEvent;
  } {
    const [time, id] = [now(), newId()];
    const times = {stateTime: time, createTime: createTime ?? time, updateTime: time};
    return {
      row: {...fields, id, state, stateReason: reason, ...times},
      event: {
        id: newId(),
        time,
        type: `machine.${state}`,
        actor,
        machineId: id,
        subject: `machines/${id}`,
        data: {reason, ...(fields.quarantineReason ? {quarantine: fields.quarantineReason} : {})},
        change: created({...fields, id, state}),
      },
    };
  }

  return {
    async recognise(sql: Sql, items: readonly EvidenceItem[]): Promise<Match> {
      if (items.length === 0) return {kind: 'none', scores: []};
      const found = await findMachinesByEvidence(sql, items, candidatesMax);
      return identify(items, found.map(candidateOf));
    },

    /** For many machines in one transaction, which holds the locks of all this evidence: it is asked for once, and what is added is written once. */
    async batch(tx: Sql, lists: readonly (readonly EvidenceItem[])[]): Promise<RecognitionBatch> {
      const found = await findMachinesByEvidenceLists(tx, lists, candidatesMax);
      const candidates = createCandidates(found.map(candidateOf), candidatesMax);
      const rows: NewMachineRow[] = [];
      const evidence: {machineId: string; kind: EvidenceKind; value: string}[] = [];
      return {
        recognise: items => identify(items, candidates.of(items)),
        add(machine) {
          const {row, event} = describe(machine);
          const {id: machineId} = row;
          rows.push(row);
          evidence.push(...machine.items.map(({kind, value}) => ({machineId, kind, value})));
          candidates.add({machineId, quarantined: false, evidence: machine.items});
          return {id: machineId, event};
        },
        async write() {
          await insertMachines(tx, rows);
          await insertEvidence(tx, evidence);
        },
      };
    },

    /** Throws resource_exhausted when too many machines came within the hour. */
    async add(tx: Sql, machine: NewMachine): Promise<Machine> {
      // Whoever registers many machines does so on purpose; they are not counted either.
      const count = machine.state === 'expected' ? 0 : await countNew(tx, now());
      if (count >= newMachinesPerHourMax)
        throw new DomainError(
          'resource_exhausted',
          `Cannot take in a new machine: ${count} came within the last hour; raise NEW_MACHINES_PER_HOUR_MAX if that is right`,
        );
      const {row, event} = describe(machine);
      const {id} = row;
      await insertMachine(tx, row);
      await addEvidence(tx, id, machine.items, evidenceOfMachineMax);
      await appendEvent(tx, event);
      const made = await findMachineForUpdate(tx, id);
      if (!made) throw new Error(`Machine "${id}" vanished in its own transaction`);
      return made;
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

const candidateOf = ({evidence, ...machine}: EvidenceOfMachine): Candidate => ({
  ...machine,
  evidence: evidence.map(({kind, value}) => ({kind: kind as EvidenceKind, value})),
});

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
