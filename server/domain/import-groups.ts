import {appendEvent} from '../store/events.ts';
import {findGroup, type Group, insertGroup, insertMember} from '../store/groups.ts';
import {findMachinesOfOrigins, findOrigin, putOrigin, type Taken} from '../store/imports.ts';
import {type Batch, eachRecord, type ImportOutcome, skipped} from './import-batch.ts';
import {readDescription, readGroupName, readTags} from './import-rules.ts';

const memberPrefix = 'member ';

export type ForeignGroup = {
  readonly originId: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly machineOriginIds: readonly string[];
};

/** By hand; one of the same name that is here gets the machines. Whoever was taken out here since stays out. */
export const importGroups = (
  batch: Batch,
  groups: readonly ForeignGroup[],
): Promise<readonly ImportOutcome[]> => eachRecord(groups, group => importGroup(batch, group));

async function importGroup(batch: Batch, record: ForeignGroup): Promise<ImportOutcome> {
  const {tx, source, now} = batch;
  const {originId} = record;
  const read = readGroupName(record.name);
  if ('problem' in read) return skipped(originId, read.problem);
  const key = {source, kind: 'group', originId} as const;
  const origin = await findOrigin(tx, key);
  const known = await findGroup(tx, origin ? {id: origin.localId} : {name: read.name}, 'share');
  if (origin && !known) return deleted(originId, origin.localId);
  if (known && known.filter !== '')
    return skipped(originId, `Group "${known.name}" is here and has a filter: rename one of them`);

  const {group, losses} = known ? {group: known, losses: []} : await create(batch, record, read);
  const members = await addMembers(batch, group, {record, taken: origin?.taken ?? {}});
  if (!origin || members.added > 0) {
    const {taken} = members;
    await putOrigin(tx, key, {localId: group.id, taken, time: now()});
  }
  const changed = members.added > 0 ? 'updated' : 'unchanged';
  return {
    originId,
    result: known ? changed : 'created',
    id: group.id,
    reason: read.remark,
    losses: [...losses, ...members.losses],
  };
}

async function create(
  {tx, source, actor, now, newId}: Batch,
  record: ForeignGroup,
  {name}: {readonly name: string},
): Promise<{group: Group; losses: readonly string[]}> {
  const {text: description, losses} = readDescription(record.description);
  const {tags, losses: lostTags} = readTags(record.tags);
  const time = now();
  const gives = {priority: 0, templates: [], bootProfile: undefined, imageGate: []};
  const group = {id: newId(), name, description, tags, filter: '', ...gives};
  const row = {...group, createTime: time, updateTime: time};
  if (!(await insertGroup(tx, row))) throw new Error(`Group "${name}" came while it was made`);
  const subject = `groups/${group.id}`;
  const data = {name, source};
  await appendEvent(tx, {id: newId(), time, type: 'group.created', actor, subject, data});
  return {group: row, losses: [...losses, ...lostTags]};
}

async function addMembers(
  {tx, source, actor, dryRun, now, newId}: Batch,
  group: Group,
  {record, taken}: {readonly record: ForeignGroup; readonly taken: Taken},
): Promise<{added: number; taken: Taken; losses: readonly string[]}> {
  const wanted = record.machineOriginIds.filter(id => taken[`${memberPrefix}${id}`] === undefined);
  const machines = await findMachinesOfOrigins(tx, source, wanted);
  const found = wanted.filter(id => machines.has(id));
  for (const id of found) {
    const machineId = machines.get(id) ?? '';
    if (!(await insertMember(tx, group.id, machineId))) continue;
    const subject = `groups/${group.id}`;
    const type = 'group.machine_added';
    const data = {name: group.name};
    await appendEvent(tx, {id: newId(), time: now(), type, actor, machineId, subject, data});
  }
  const missing = wanted.filter(id => !machines.has(id));
  return {
    added: found.length,
    taken: {...taken, ...Object.fromEntries(found.map(id => [`${memberPrefix}${id}`, 'added']))},
    losses: dryRun ? [] : missing.map(id => `its machine "${id}" was not brought over`),
  };
}

export const deleted = (originId: string, id: string): ImportOutcome => ({
  originId,
  result: 'unchanged',
  id,
  reason: 'It was deleted here since it was brought over, and stays so',
  losses: [],
});
