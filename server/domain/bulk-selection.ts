import {DomainError} from '../errors.ts';
import type {NewChild} from '../store/bulk-children.ts';
import type {Sql} from '../store/db.ts';
import {findMachineNames, findMachinesByKey} from '../store/machines.ts';
import {nameOf} from './build-rules.ts';
import {parseMacAddress, printable} from './identifiers.ts';
import {isUuid} from './ids.ts';
import type {MachineSearch} from './machine-search.ts';

export const machinesOfBulkMax = 10_000;
/** Each is a search of its own, ids are one for all. */
const namesMax = 1000;
const wordsMax = 200;

/** Exactly one of the three. */
export type Selection = {
  readonly machineIds: readonly string[];
  /** Id or name. */
  readonly groupId: string;
  readonly filter: string;
};

export type Chosen = Pick<NewChild, 'machineId' | 'machine' | 'error'>;

/** In words, for people. Throws invalid_argument. */
export function describeSelection({machineIds, groupId, filter}: Selection): string {
  const given = [machineIds.length > 0, groupId !== '', filter !== ''].filter(Boolean).length;
  if (given !== 1)
    throw new DomainError(
      'invalid_argument',
      'Cannot tell which machines are meant: give exactly one of machine_ids, group_id and filter',
    );
  if (groupId !== '') return `group "${printable(groupId, wordsMax)}"`;
  if (filter !== '') return `filter ${printable(filter, wordsMax)}`;
  return machineIds.length === 1 ? '1 machine by name' : `${machineIds.length} machines by name`;
}

/** Those that the selection means now, the oldest first; by name, in the order of the names. Throws invalid_argument and not_found. */
export async function chooseMachines(
  tx: Sql,
  selection: Selection,
  deps: {
    readonly search: Pick<MachineSearch, 'choose'>;
    readonly getGroup: (key: string) => Promise<{readonly name: string}>;
  },
): Promise<readonly Chosen[]> {
  const what = describeSelection(selection);
  const chosen =
    selection.machineIds.length > 0
      ? await byNames(tx, [...new Set(selection.machineIds)])
      : await bySearch(tx, selection, deps);
  if (chosen.length === 0)
    throw new DomainError('invalid_argument', `Cannot start: there is no machine in ${what}`);
  if (chosen.length > machinesOfBulkMax)
    throw new DomainError(
      'invalid_argument',
      `Cannot start on more than ${machinesOfBulkMax} machines at once: narrow ${what}`,
    );
  return chosen;
}

async function bySearch(
  tx: Sql,
  {groupId, filter}: Selection,
  {search, getGroup}: Parameters<typeof chooseMachines>[2],
): Promise<readonly Chosen[]> {
  const within = groupId === '' ? {} : {within: (await getGroup(groupId)).name};
  const machines = await search.choose(tx, {filter, ...within}, machinesOfBulkMax + 1);
  return machines.map(machine => ({machineId: machine.id, machine: nameOf(machine), error: ''}));
}

async function byNames(tx: Sql, names: readonly string[]): Promise<readonly Chosen[]> {
  const ids = names.filter(isUuid).map(id => id.toLowerCase());
  if (names.length - ids.length > namesMax)
    throw new DomainError(
      'invalid_argument',
      `Cannot start on ${names.length - ids.length} machines by serial number or MAC: at most ${namesMax}; name the others by their ids`,
    );
  const byId = new Map((await findMachineNames(tx, ids)).map(row => [row.id, row]));
  const chosen: Chosen[] = [];
  const seen = new Set<string>();
  for (const name of names) {
    const known = byId.get(name.toLowerCase());
    const one = known
      ? {machineId: known.id, machine: nameOf(known), error: ''}
      : await byKey(tx, name);
    if (one.machineId !== undefined && seen.has(one.machineId)) continue;
    if (one.machineId !== undefined) seen.add(one.machineId);
    chosen.push(one);
  }
  return chosen;
}

async function byKey(tx: Sql, name: string): Promise<Chosen> {
  const machine = printable(name, wordsMax);
  const none = {machineId: undefined, machine};
  if (isUuid(name)) return {...none, error: `Cannot find machine "${machine}"`};
  const key = {text: name.trim(), mac: parseMacAddress(name)};
  const [found, other] = await findMachinesByKey(tx, key, 2);
  if (!found) return {...none, error: `Cannot find machine "${machine}"`};
  if (other) return {...none, error: `Cannot tell which machine "${machine}" is: use its id`};
  return {machineId: found.id, machine: nameOf(found), error: ''};
}
