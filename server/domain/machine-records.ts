import {DomainError} from '../errors.ts';
import {findCurrentAgentKey, moveAgentKey} from '../store/agents.ts';
import {findLiveBuild} from '../store/builds.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent, type Change} from '../store/events.ts';
import {deleteEvidence, listEvidence, lockEvidence, moveEvidence} from '../store/evidence.ts';
import {findMachineForUpdate, type Machine, updateMachine} from '../store/machines.ts';
import {moveBootSessions, moveRecords} from '../store/merge-machines.ts';
import type {AgentKeys} from './agent-keys.ts';
import {parseIdentifier} from './bans.ts';
import {updated} from './changes.ts';
import type {Deps} from './deps.ts';
import type {EvidenceItem} from './identity.ts';
import {splittable} from './lifecycle.ts';
import {readMachineEvidence} from './machine-evidence.ts';
import {emptied, mergedFields, mergedState, mergeProblem} from './merge-rules.ts';
import {mergeMetrics} from './metrics-packs.ts';
import {offlineAfterMs} from './presence.ts';
import type {Recognition} from './recognition.ts';
import type {Transitions} from './transitions.ts';

export type MachineRecords = ReturnType<typeof createMachineRecords>;

/** When records and boxes do not agree: two records of one box become one, one record of two boxes becomes two. */
export function createMachineRecords({
  sql,
  now,
  newId,
  recognition,
  transitions,
  agentKeys,
}: Deps & {
  readonly recognition: Recognition;
  readonly transitions: Transitions;
  readonly agentKeys: AgentKeys;
}) {
  async function append(
    tx: Sql,
    type: string,
    event: {
      readonly actor: string;
      readonly machineId: string;
      readonly data: Record<string, unknown>;
      readonly change: Change;
    },
  ): Promise<void> {
    const subject = `machines/${event.machineId}`;
    await appendEvent(tx, {id: newId(), time: now(), type, subject, ...event});
  }

  /** In one order everywhere. */
  async function lockBoth(tx: Sql, ids: readonly [string, string]) {
    const found = new Map<string, Machine>();
    for (const id of ids.toSorted()) found.set(id, await lock(tx, id));
    const [kept, absorbed] = ids.map(id => found.get(id));
    if (!kept || !absorbed) throw new Error('A machine vanished while it was locked');
    return {kept, absorbed};
  }

  async function end(tx: Sql, actor: string, absorbed: Machine, kept: Machine): Promise<void> {
    const stateReason = `It is part of machine "${kept.id}"`;
    const time = now();
    const fields = {
      ...emptied,
      state: 'retired',
      stateReason,
      stateTime: time,
      updateTime: time,
      mergedInto: kept.id,
    } as const;
    await updateMachine(tx, absorbed.id, fields);
    const data = {into: kept.id, from: absorbed.state};
    const change = updated(absorbed, {state: 'retired', mergedInto: kept.id});
    await append(tx, 'machine.absorbed', {actor, machineId: absorbed.id, data, change});
  }

  /** Ended, because its login names the other machine; moved, so that its next word puts nobody in quarantine. */
  async function moveAgent(tx: Sql, from: string, to: string): Promise<void> {
    const key = await findCurrentAgentKey(tx, from);
    await agentKeys.revokeCurrent(tx, from);
    if (key) await moveAgentKey(tx, key.publicKey, to);
  }

  return {
    /** Throws not_found, or failed_precondition when it is not safe. */
    merge: (actor: string, keptId: string, absorbedId: string): Promise<Machine> =>
      sql.begin(async tx => {
        const {kept, absorbed} = await lockBoth(tx, [keptId, absorbedId]);
        const since = now().getTime() - offlineAfterMs;
        const isOnline = ({lastSeenTime}: Machine) => (lastSeenTime?.getTime() ?? 0) >= since;
        const live = await findLiveBuild(tx, {machineId: absorbedId});
        const bothOnline = isOnline(kept) && isOnline(absorbed);
        const problem = mergeProblem(kept, absorbed, {bothOnline, liveBuildId: live?.id});
        if (problem)
          throw new DomainError(
            'failed_precondition',
            `Cannot merge machine "${absorbedId}" into "${keptId}": ${problem}`,
          );
        await lockEvidence(tx, await listEvidence(tx, absorbedId));
        await agentKeys.revokeCurrent(tx, absorbedId);
        await mergeMetrics(tx, {from: absorbedId, to: keptId});
        await moveRecords(tx, {from: absorbedId, to: keptId, time: now()});
        await moveEvidence(tx, {from: absorbedId, to: keptId});
        await end(tx, actor, absorbed, kept);

        const fields = mergedFields(kept, absorbed);
        await updateMachine(tx, keptId, {...fields, updateTime: now()});
        const data = {
          absorbed: absorbedId,
          serial: absorbed.serviceTag,
          macs: absorbed.macAddresses,
        };
        const change = updated(kept, fields);
        await append(tx, 'machine.merged', {actor, machineId: keptId, data, change});
        const to = mergedState(kept.state, absorbed.state);
        const reason = `Merged by ${actor} with a record that was ${absorbed.state}`;
        await transitions.transition(tx, {machineId: keptId, to, actor, reason});
        await transitions.startWithImage(tx, keptId);
        return lock(tx, keptId);
      }),

    evidence: (machineId: string) => readMachineEvidence(sql, machineId),

    /** Throws not_found, invalid_argument or failed_precondition. */
    split: (actor: string, machineId: string, identifiers: readonly string[]) =>
      sql.begin(async tx => {
        const machine = await lock(tx, machineId);
        if (!splittable.has(machine.state))
          throw new DomainError(
            'failed_precondition',
            `Cannot split machine "${machineId}": it is ${machine.state}; wait until that is done`,
          );
        const evidence = (await listEvidence(tx, machineId)) as readonly EvidenceItem[];
        await lockEvidence(tx, evidence);
        const moved = itemsToMove(machineId, evidence, identifiers);
        await deleteEvidence(tx, machineId, moved);
        const macAddresses = moved
          .filter(({kind}) => kind === 'mac' || kind === 'local_mac')
          .map(({value}) => value);
        const rest = fieldsWithout(machine, moved, macAddresses);
        const reason = `Split by ${actor} from machine "${machineId}"`;
        const split = await recognition.add(tx, {
          state: 'expected',
          actor,
          reason,
          items: moved,
          fields: {...fieldsOf(machine, moved, macAddresses), expected: true},
        });
        // Its agent booted from a NIC of the other box.
        if (macAddresses.includes(machine.macAddress)) await moveAgent(tx, machineId, split.id);
        await moveBootSessions(tx, {from: machineId, to: split.id, macAddresses});
        await updateMachine(tx, machineId, {...rest, updateTime: now()});
        const data = {into: split.id, identifiers: moved.map(({value}) => value)};
        const change = updated(machine, rest);
        await append(tx, 'machine.split', {actor, machineId, data, change});
        return {machine: await lock(tx, machineId), split};
      }),
  };
}

async function lock(tx: Sql, id: string): Promise<Machine> {
  const machine = await findMachineForUpdate(tx, id);
  if (!machine) throw new DomainError('not_found', `Cannot find machine "${id}"`);
  return machine;
}

function itemsToMove(
  machineId: string,
  evidence: readonly EvidenceItem[],
  identifiers: readonly string[],
): readonly EvidenceItem[] {
  const moved = identifiers.flatMap(text => {
    // The key of a TPM is kept in lower case, and is no identifier that is typed elsewhere.
    const values = [parseIdentifier(text)?.value, text.trim().toLowerCase()];
    const found = evidence.filter(item => values.includes(item.value));
    if (found.length > 0) return found;
    const known = evidence.map(item => item.value).slice(0, 20);
    throw new DomainError(
      'invalid_argument',
      `Cannot split off "${text}": machine "${machineId}" was never recognised by it, but by ${known.join(', ') || 'nothing'}`,
    );
  });
  if (evidence.every(item => moved.includes(item)))
    throw new DomainError(
      'failed_precondition',
      `Cannot split machine "${machineId}": nothing would be left that it is recognised by; name only what belongs to the other box`,
    );
  return [...new Set(moved)];
}

const valueOf = (items: readonly EvidenceItem[], wanted: EvidenceItem['kind']): string =>
  items.find(({kind}) => kind === wanted)?.value ?? '';

const fieldsOf = (machine: Machine, moved: readonly EvidenceItem[], macs: readonly string[]) => ({
  serviceTag: valueOf(moved, 'system_serial'),
  uuid: valueOf(moved, 'uuid'),
  macAddress: macs[0] ?? '',
  macAddresses: macs,
  manufacturer: machine.manufacturer,
  product: machine.product,
});

/** Texts are shown as they were reported, so they are compared as identifiers are. */
function fieldsWithout(machine: Machine, moved: readonly EvidenceItem[], macs: readonly string[]) {
  const left = machine.macAddresses.filter(mac => !macs.includes(mac));
  const isMoved = (text: string) => moved.some(({value}) => value === parseIdentifier(text)?.value);
  return {
    macAddresses: left,
    macAddress: macs.includes(machine.macAddress) ? (left[0] ?? '') : machine.macAddress,
    serviceTag: isMoved(machine.serviceTag) ? '' : machine.serviceTag,
    uuid: isMoved(machine.uuid) ? '' : machine.uuid,
    // Whoever splits them says which box this is.
    quarantineReason: '',
  };
}
