import {appendEvent} from '../store/events.ts';
import {lockEvidence} from '../store/evidence.ts';
import {
  findMacOwners,
  findOrigin,
  findOriginOfLocal,
  type Origin,
  putOrigin,
} from '../store/imports.ts';
import {findMachineForUpdate, type Machine, updateMachine} from '../store/machines.ts';
import {updated} from './changes.ts';
import {changeLabels} from './machines.ts';
import {type Batch, eachRecord, type ImportOutcome, skipped} from './import-batch.ts';
import {
  type ForeignMachine,
  merge,
  readMachine,
  type ReadMachine,
  type TakenFields,
} from './import-rules.ts';
import {type Evidence, evidenceItems} from './identity.ts';
import {parseMacAddress} from './identifiers.ts';
import {machineFields, type Recognition} from './recognition.ts';

const labelPrefix = 'label ';

/** As EXPECTED machines, recognised by the same scores as every other way in. */
export async function importMachines(
  batch: Batch,
  recognition: Recognition,
  machines: readonly ForeignMachine[],
): Promise<readonly ImportOutcome[]> {
  const records = machines.map(machine => ({...machine, ...readMachine(machine)}));
  // All at once and in one order: enrolments of the same machines wait, and never for ever.
  await lockEvidence(
    batch.tx,
    records.flatMap(({evidence}) => evidenceItems(evidence)),
  );
  return eachRecord(records, record => importMachine(batch, recognition, record));
}

type Record = ForeignMachine & ReadMachine;

async function importMachine(
  batch: Batch,
  recognition: Recognition,
  record: Record,
): Promise<ImportOutcome> {
  const {tx, source} = batch;
  const {originId, evidence} = record;
  const origin = await findOrigin(tx, {source, kind: 'machine', originId});
  const before = origin && (await findMachineForUpdate(tx, origin.localId));
  if (before) return update(batch, record, {machine: before, origin});
  const items = evidenceItems(evidence);
  if (items.length === 0)
    return skipped(originId, 'Nothing identifies it: neither its serial number nor a MAC address');

  const match = await recognition.recognise(tx, items);
  if (match.kind === 'conflict') return skipped(originId, match.reason);
  if (match.kind === 'none') return create(batch, recognition, record);
  const {machineId: localId} = match;
  const other = await findOriginOfLocal(tx, {source, kind: 'machine', localId});
  if (other !== undefined)
    return skipped(
      originId,
      `It cannot be told from "${other}", which became machine "${localId}"`,
    );
  const machine = await findMachineForUpdate(tx, localId);
  if (!machine) throw new Error(`Machine "${localId}" vanished while it was locked`);
  return update(batch, record, {machine, origin: undefined});
}

async function create(
  batch: Batch,
  recognition: Recognition,
  record: Record,
): Promise<ImportOutcome> {
  const {tx, source, actor, now} = batch;
  const {originId, fields, hardware, createTime} = record;
  const {evidence, losses} = await withoutOwnedMacs(batch, record.evidence);
  const items = evidenceItems(evidence);
  if (items.length === 0)
    return skipped(originId, `Nothing identifies it but what others have: ${losses.join(', ')}`);
  const {id} = await recognition.add(tx, {
    state: 'expected',
    actor,
    reason: `Brought over from ${source} by ${actor}`,
    items,
    fields: {...machineFields(evidence), ...fields, ...hardware, expected: true},
    createTime: createTime && createTime < now() ? createTime : undefined,
  });
  const {taken} = merge({}, flat(fields), {});
  await putOrigin(tx, {source, kind: 'machine', originId}, {localId: id, taken, time: now()});
  return {originId, result: 'created', id, reason: '', losses: [...record.losses, ...losses]};
}

/** A MAC is one machine's: it stays with the one that came first. */
async function withoutOwnedMacs(
  {tx}: Batch,
  evidence: Evidence,
): Promise<{evidence: Evidence; losses: readonly string[]}> {
  const macs = evidence.macAddresses.map(parseMacAddress).filter(mac => mac !== undefined);
  const owners = new Map(
    (await findMacOwners(tx, macs)).map(({value, machineId}) => [value, machineId]),
  );
  const free = evidence.macAddresses.filter(mac => !owners.has(parseMacAddress(mac) ?? ''));
  return {
    evidence: {...evidence, macAddresses: free, bootMacAddress: free[0] ?? ''},
    losses: [...owners].map(
      ([mac, machineId]) => `MAC address "${mac}" belongs to machine "${machineId}"`,
    ),
  };
}

async function update(
  batch: Batch,
  {originId, fields, losses}: Record,
  {machine, origin}: {readonly machine: Machine; readonly origin: Origin | undefined},
): Promise<ImportOutcome> {
  const {tx, source, actor, now, newId} = batch;
  const {id} = machine;
  const there = flat(fields);
  const {take, kept, taken} = merge(flat(machine), there, origin?.taken ?? {});
  const set = Object.fromEntries(
    take
      .filter(name => name.startsWith(labelPrefix))
      .map(name => [name.slice(labelPrefix.length), there[name] ?? '']),
  );
  const labels = changeLabels(machine.labels, {set, remove: []});
  const change = {
    ...Object.fromEntries(
      take.filter(name => !name.startsWith(labelPrefix)).map(name => [name, there[name]]),
    ),
    ...(labels === machine.labels ? {} : {labels}),
  };
  if (take.length > 0) {
    await updateMachine(tx, id, {...change, updateTime: now()});
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'machine.updated',
      actor,
      machineId: id,
      subject: `machines/${id}`,
      data: {fields: Object.keys(change), source},
      change: updated(machine, change),
    });
  }
  if (!origin || JSON.stringify(taken) !== JSON.stringify(origin.taken))
    await putOrigin(tx, {source, kind: 'machine', originId}, {localId: id, taken, time: now()});
  const reason = [
    ...(origin ? [] : [`It is here already, as ${machine.state}`]),
    ...(kept.length > 0 ? [`Changed here and left so: ${kept.join(', ')}`] : []),
  ].join('. ');
  return {originId, result: take.length > 0 ? 'updated' : 'unchanged', id, reason, losses};
}

/** Each label is a value of its own. */
function flat({hostname, description, nixosConfig, labels}: TakenFields) {
  return {
    hostname,
    description,
    nixosConfig,
    ...Object.fromEntries(
      Object.entries(labels).map(([key, value]) => [`${labelPrefix}${key}`, value]),
    ),
  } as Readonly<{[name: string]: string}>;
}
