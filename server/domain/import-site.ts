import type {Sql} from '../store/db.ts';
import {appendEvents, type NewEvent} from '../store/events.ts';
import {
  findMacOwners,
  findOrigins,
  findOriginsOfLocals,
  type Origin,
  type OriginKey,
  putOrigins,
} from '../store/imports.ts';
import {findMachinesForUpdate, updateMachines} from '../store/machine-batches.ts';
import type {Machine, MachineChange} from '../store/machines.ts';
import type {Batch} from './import-batch.ts';
import type {Evidence, EvidenceItem} from './identity.ts';
import type {TakenFields} from './import-rules.ts';
import {parseMacAddress} from './identifiers.ts';
import type {NewMachine, Recognition} from './recognition.ts';

const kind = 'machine';

/** As much of a machine as an import looks at. */
export type SiteMachine = Pick<
  Machine,
  'id' | 'state' | 'hostname' | 'description' | 'nixosConfig' | 'labels'
>;

type SiteRecord = {
  readonly originId: string;
  readonly evidence: Evidence;
  readonly items: readonly EvidenceItem[];
};

export type ImportSite = Awaited<ReturnType<typeof openImportSite>>;

/**
 * What the records of one call find here: asked for once for all of them, changed in memory as they are brought over one after the other, and
 * written once. The transaction holds the locks of their evidence.
 */
export async function openImportSite(
  batch: Batch,
  recognition: Recognition,
  records: readonly SiteRecord[],
) {
  const {tx, source} = batch;
  const keys = {source, kind} as const;
  const originIds = records.map(({originId}) => originId);
  const origins = new Map(await findOrigins(tx, keys, originIds));
  const machines = createKnownMachines(tx, keys);
  await machines.lookUp([...origins.values()].map(({localId}) => localId));
  const strangers = records.filter(
    ({originId}) => !machines.known(origins.get(originId)?.localId ?? ''),
  );
  const lists = strangers.map(({items}) => items);
  const recognised = await recognition.batch(tx, lists);
  const matches = lists.map(recognised.recognise);
  await machines.lookUp(
    matches.flatMap(match => (match.kind === 'match' ? [match.machineId] : [])),
  );
  const owners = await readMacOwners(tx, strangers);

  const changes = new Map<string, MachineChange>();
  const put = new Map<string, Origin & {readonly time: Date}>();
  const events: NewEvent[] = [];
  return {
    recognise: recognised.recognise,
    origin: (originId: string) => origins.get(originId),
    macOwner: (mac: string) => owners.get(mac),
    machine: machines.get,
    /** Which record of the same source became this machine. */
    originOf: machines.originOf,

    /** Its id. */
    create(machine: NewMachine & {readonly state: 'expected'}, fields: TakenFields): string {
      const {id, event} = recognised.add(machine);
      machines.set({...fields, id, state: machine.state});
      for (const item of machine.items)
        if (item.kind === 'mac' || item.kind === 'local_mac') owners.set(item.value, id);
      events.push(event);
      return id;
    },

    change(machine: SiteMachine, change: MachineChange, event: NewEvent): void {
      changes.set(machine.id, {...changes.get(machine.id), ...change});
      machines.set({...machine, ...change});
      events.push(event);
    },

    putOrigin(originId: string, origin: Origin & {readonly time: Date}): void {
      put.set(originId, origin);
      origins.set(originId, origin);
      machines.noteOrigin(origin.localId, originId);
    },

    async write(): Promise<void> {
      await recognised.write();
      await updateMachines(tx, changes);
      await putOrigins(tx, keys, put);
      await appendEvents(tx, events);
    },
  };
}

/** Locked, and with the record of the same source that each one was. What is not among the likely ones is looked up by itself. */
function createKnownMachines(tx: Sql, keys: Omit<OriginKey, 'originId'>) {
  /** Undefined: it is here no more. */
  const machines = new Map<string, SiteMachine | undefined>();
  const originOf = new Map<string, string>();

  async function lookUp(ids: readonly string[]): Promise<void> {
    const wanted = ids.filter(id => !machines.has(id));
    if (wanted.length === 0) return;
    const found = await findMachinesForUpdate(tx, wanted);
    for (const id of wanted) machines.set(id, found.get(id));
    for (const [id, originId] of await findOriginsOfLocals(tx, keys, wanted))
      originOf.set(id, originId);
  }

  return {
    lookUp,
    known: (id: string) => machines.get(id) !== undefined,
    async get(id: string): Promise<SiteMachine | undefined> {
      await lookUp([id]);
      return machines.get(id);
    },
    async originOf(id: string): Promise<string | undefined> {
      await lookUp([id]);
      return originOf.get(id);
    },
    set: (machine: SiteMachine) => machines.set(machine.id, machine),
    noteOrigin(id: string, originId: string): void {
      if (!originOf.has(id)) originOf.set(id, originId);
    },
  };
}

/** By MAC. */
async function readMacOwners(
  tx: Sql,
  records: readonly SiteRecord[],
): Promise<Map<string, string>> {
  const macs = records.flatMap(({evidence}) => evidence.macAddresses.map(parseMacAddress));
  const owned = await findMacOwners(tx, [...new Set(macs.filter(mac => mac !== undefined))]);
  return new Map(owned.map(({value, machineId}) => [value, machineId]));
}
