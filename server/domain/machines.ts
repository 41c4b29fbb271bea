import {isDeepStrictEqual} from 'node:util';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent, type Change} from '../store/events.ts';
import {lockEvidence} from '../store/evidence.ts';
import * as store from '../store/machines.ts';
import type {ImageConfig, Labels, Machine, MachineChange} from '../store/machines.ts';
import type {MachineTemplate} from '../store/templates.ts';
import type {AgentKeys} from './agent-keys.ts';
import type {Bans} from './bans.ts';
import {updated} from './changes.ts';
import {concealIn} from './concealed.ts';
import type {Deps} from './deps.ts';
import {parseMacAddress} from './identifiers.ts';
import {isUuid} from './ids.ts';
import {reasons} from './machine-search.ts';
import type {Recognition} from './recognition.ts';
import {expectedItems, openRegistration, type Registration} from './registration.ts';
import {assertTemplatesFit} from './template-use.ts';
import type {Transitions} from './transitions.ts';

const labelsMax = 64;
const sameKeyMax = 10;

export type Machines = ReturnType<typeof createMachines>;

export type ExpectedMachine = {
  readonly serviceTag: string;
  readonly uuid: string;
  readonly macAddresses: readonly string[];
  readonly change: OperatorChange;
};

/** What an operator decides about a machine. */
export type OperatorChange = {
  readonly hostname?: string;
  readonly description?: string;
  readonly notes?: string;
  readonly labels?: Labels;
  readonly nixosConfig?: string;
  readonly imageConfig?: ImageConfig | undefined;
  readonly templates?: readonly MachineTemplate[];
};

/** Machines as operators see and change them. */
export function createMachines({
  sql,
  now,
  newId,
  recognition,
  transitions,
  agentKeys,
  bans,
}: Deps & {
  readonly recognition: Recognition;
  readonly transitions: Transitions;
  readonly agentKeys: AgentKeys;
  readonly bans: Pick<Bans, 'findAll'>;
}) {
  async function append(
    tx: Sql,
    type: string,
    event: {machineId: string; actor: string; data: Record<string, unknown>; change: Change},
  ): Promise<void> {
    const subject = `machines/${event.machineId}`;
    await appendEvent(tx, {id: newId(), time: now(), type, subject, ...event});
  }

  async function shown(machine: Machine, tx: Sql = sql): Promise<Machine> {
    const [told = machine] = await concealIn(tx, [machine], reasons);
    return told;
  }

  async function lock(tx: Sql, id: string): Promise<Machine> {
    const machine = await store.findMachineForUpdate(tx, id);
    if (!machine) throw notFound(id);
    // The record that took it in answers for it.
    return machine.mergedInto ? lock(tx, machine.mergedInto) : shown(machine, tx);
  }

  /** `changed` names the fields that were something else before. */
  async function updateIn(
    tx: Sql,
    actor: string,
    key: string,
    change: OperatorChange,
  ): Promise<ChangedMachine> {
    const machine = await lock(tx, key);
    const {id} = machine;
    const changed = Object.entries(change)
      .filter(
        ([name, value]) => !isDeepStrictEqual(plain(machine[name as keyof Machine]), plain(value)),
      )
      .map(([name]) => name);
    if (changed.length === 0) return {machine, changed};
    if (change.templates) await assertTemplatesFit(tx, change.templates);
    const fields: MachineChange = {...change, updateTime: now()};
    await store.updateMachine(tx, id, fields);
    await append(tx, 'machine.updated', {
      machineId: id,
      actor,
      data: {fields: changed},
      change: updated(machine, change),
    });
    return {machine: {...machine, ...fields}, changed};
  }

  async function labelIn(
    tx: Sql,
    actor: string,
    key: string,
    change: LabelChange,
  ): Promise<ChangedMachine> {
    const machine = await lock(tx, key);
    const {id} = machine;
    const labels = changeLabels(machine.labels, change);
    if (labels === machine.labels) return {machine, changed: []};
    const fields: MachineChange = {labels, updateTime: now()};
    await store.updateMachine(tx, id, fields);
    const data = {set: change.set, remove: change.remove};
    const labelled = updated({labels: machine.labels}, {labels});
    await append(tx, 'machine.labelled', {machineId: id, actor, data, change: labelled});
    return {machine: {...machine, ...fields}, changed: ['labels']};
  }

  return {
    /** By id, or by a service tag, UUID or MAC that names one machine only. */
    async get(name: string): Promise<Machine> {
      const byId = isUuid(name) ? await store.findMachine(sql, name) : undefined;
      const into = byId?.mergedInto;
      const answering = (into ? await store.findMachine(sql, into) : undefined) ?? byId;
      if (answering) return shown(answering);
      const key = {text: name.trim(), mac: parseMacAddress(name)};
      const [machine, ...others] = await store.findMachinesByKey(sql, key, sameKeyMax);
      if (!machine) throw notFound(name);
      if (others.length > 0)
        throw new DomainError(
          'failed_precondition',
          `Cannot tell which machine "${name}" is: use one of the ids ${[machine, ...others].map(({id}) => `"${id}"`).join(', ')}`,
        );
      return shown(machine);
    },

    /** In a transaction that holds the locks of all their evidence. */
    openRegistration: (tx: Sql, machines: readonly ExpectedMachine[]): Promise<Registration> =>
      openRegistration(tx, machines, {recognition, bans}),

    /** Registers a machine that is expected. Throws already_exists when this evidence names one that is known. */
    create: (actor: string, machine: ExpectedMachine): Promise<Machine> =>
      sql.begin(async tx => {
        await lockEvidence(tx, expectedItems(machine));
        const registration = await openRegistration(tx, [machine], {recognition, bans});
        await registration.check(machine);
        const {id, event} = registration.add(actor, machine);
        await registration.write();
        await appendEvent(tx, event);
        const made = await store.findMachineForUpdate(tx, id);
        if (!made) throw new Error(`Machine "${id}" vanished in its own transaction`);
        return made;
      }),

    update: (actor: string, key: string, change: OperatorChange): Promise<Machine> =>
      sql.begin(async tx => (await updateIn(tx, actor, key, change)).machine),

    /** In the caller's transaction. */
    updateIn,

    /** Sets some labels and removes others, whoever changes the rest meanwhile. */
    label: (actor: string, key: string, change: LabelChange): Promise<Machine> =>
      sql.begin(async tx => (await labelIn(tx, actor, key, change)).machine),

    /** In the caller's transaction. */
    labelIn,

    /** Lets a machine in, and ends its quarantine: an operator vouches for it. */
    accept: (actor: string, key: string): Promise<Machine> =>
      sql.begin(async tx => {
        const machine = await lock(tx, key);
        const {id} = machine;
        const change: MachineChange = {trust: 'approved', quarantineReason: ''};
        if (machine.state === 'pending' || machine.state === 'rejected') {
          const reason = `Accepted by ${actor}`;
          await transitions.transition(tx, {machineId: id, to: 'enrolled', actor, reason}, change);
          return transitions.startWithImage(tx, id);
        }
        if (!machine.quarantineReason && machine.trust === 'approved') return machine;
        if (machine.state === 'expected' || machine.state === 'discovered')
          throw new DomainError(
            'failed_precondition',
            `Cannot accept machine "${id}": it is ${machine.state}, no agent has reported from it yet`,
          );
        const fields = {...change, updateTime: now()};
        await store.updateMachine(tx, id, fields);
        const data = {quarantine: machine.quarantineReason};
        await append(tx, 'machine.approved', {
          machineId: id,
          actor,
          data,
          change: updated(machine, change),
        });
        return {...machine, ...fields};
      }),

    /** Turns a machine away: it boots its local disk from now on, and its agent's key is worth nothing. */
    reject: (actor: string, key: string, reason: string): Promise<Machine> =>
      sql.begin(async tx => {
        const {id} = await lock(tx, key);
        const text = reason || `Rejected by ${actor}`;
        const moved = {machineId: id, to: 'rejected', actor, reason: text} as const;
        const rejected = await transitions.transition(tx, moved);
        await agentKeys.revokeCurrent(tx, id);
        return rejected;
      }),
  };
}

export type ChangedMachine = {readonly machine: Machine; readonly changed: readonly string[]};

export type LabelChange = {readonly set: Labels; readonly remove: readonly string[]};

/** The same object when nothing changes. Throws invalid_argument. */
export function changeLabels(labels: Labels, {set, remove}: LabelChange): Labels {
  const twice = remove.find(key => Object.hasOwn(set, key));
  if (twice !== undefined)
    throw new DomainError(
      'invalid_argument',
      `Cannot both set and remove label "${twice}": say one of them`,
    );
  const kept = Object.entries(labels).filter(([key]) => !remove.includes(key));
  const changed = Object.fromEntries([...kept, ...Object.entries(set)]);
  const count = Object.keys(changed).length;
  if (count > labelsMax)
    throw new DomainError(
      'invalid_argument',
      `Cannot keep ${count} labels on a machine: at most ${labelsMax}; remove some`,
    );
  const same =
    count === Object.keys(labels).length &&
    Object.entries(changed).every(([key, value]) => labels[key] === value);
  return same ? labels : changed;
}

/** Without prototypes and undefined fields, which JSON columns do not keep. */
const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

function notFound(name: string): DomainError {
  return new DomainError('not_found', `Cannot find machine "${name}"`);
}
