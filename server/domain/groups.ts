import {parseFilter} from '../filter/parser.ts';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/groups.ts';
import type {Group, GroupChange} from '../store/groups.ts';
import {notifyTestQueue} from '../store/image-tests.ts';
import {findMachine} from '../store/machines.ts';
import type {Deps} from './deps.ts';
import {badPageToken, isUuid} from './ids.ts';
import {namesOfGroups} from './filter-leaves.ts';
import {type MachineQuery, type MachineSearch, refusing} from './machine-search.ts';
import {assertTemplatesFit} from './template-use.ts';

const pageSizeDefault = 50;
/** Each is evaluated when somebody asks for the groups of a machine. */
const ruleGroupsMax = 200;
/** As in the contract; an id has this form, too. */
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_. -]{0,62}$/;

export type Groups = ReturnType<typeof createGroups>;

export type NewGroup = Omit<Group, 'id' | 'createTime' | 'updateTime' | 'imageGate'> &
  Partial<Pick<Group, 'imageGate'>>;

/** Machines that belong together, by hand or by a rule (docs/groups.md). */
export function createGroups({sql, now, newId, search}: Deps & {readonly search: MachineSearch}) {
  async function append(
    tx: Sql,
    type: string,
    {actor, group, machineId}: {actor: string; group: Group; machineId?: string},
  ): Promise<void> {
    const {id, name, filter} = group;
    const subject = `groups/${id}`;
    const data = {name, ...(filter ? {filter} : {})};
    await appendEvent(tx, {id: newId(), time: now(), type, actor, machineId, subject, data});
    // Its gate may open or close for images that are held back.
    await notifyTestQueue(tx, id);
  }

  async function assertRule(text: string): Promise<void> {
    if (text === '') return;
    const [inner] = namesOfGroups(refusing(text, () => parseFilter(text)));
    if (inner !== undefined)
      throw new DomainError(
        'invalid_argument',
        `Cannot use group "${inner}" in the rule of a group: write out its filter`,
      );
    await search.check(text);
  }

  async function assertRoom(tx: Sql): Promise<void> {
    if ((await store.countRuleGroups(tx)) >= ruleGroupsMax)
      throw new DomainError(
        'resource_exhausted',
        `Cannot keep more than ${ruleGroupsMax} groups with a filter: delete one, or save the filter as a search`,
      );
  }

  /** By id or name. Throws not_found. */
  async function get(key: string, tx: Sql = sql, lock?: 'share' | 'update'): Promise<Group> {
    const known = isUuid(key) ? {id: key} : {name: key};
    const group = namePattern.test(key) ? await store.findGroup(tx, known, lock) : undefined;
    if (group) return group;
    throw new DomainError(
      'not_found',
      `Cannot find group "${key}": "muster groups list" shows what there is`,
    );
  }

  async function lockForMembers(tx: Sql, key: string, machineId: string): Promise<Group> {
    const group = await get(key, tx, 'share');
    if (group.filter !== '')
      throw new DomainError(
        'failed_precondition',
        `Cannot change the machines of group "${group.name}" by hand: its filter says which they are`,
      );
    if (!(await findMachine(tx, machineId)))
      throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
    return group;
  }

  return {
    get: (key: string): Promise<Group> => get(key),

    /** By name; the page token is the last name of the page before. */
    async list({pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string}) {
      if (pageToken !== '' && !namePattern.test(pageToken)) throw badPageToken(pageToken);
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listGroups(sql, {after: pageToken, limit: limit + 1});
      const groups = rows.slice(0, limit);
      return {groups, nextPageToken: rows.length > limit ? (groups.at(-1)?.name ?? '') : ''};
    },

    async create(actor: string, wanted: NewGroup): Promise<Group> {
      await assertRule(wanted.filter);
      const {imageGate = []} = wanted;
      const group = {...wanted, imageGate, id: newId(), createTime: now(), updateTime: now()};
      return sql.begin(async tx => {
        if (group.filter !== '') await assertRoom(tx);
        await assertTemplatesFit(tx, group.templates);
        if (!(await store.insertGroup(tx, group))) throw taken('create', group.name);
        await append(tx, 'group.created', {actor, group});
        return group;
      });
    },

    async update(actor: string, key: string, change: GroupChange): Promise<Group> {
      await assertRule(change.filter ?? '');
      return sql.begin(async tx => {
        const before = await get(key, tx, 'update');
        const group = {...before, ...change, updateTime: now()};
        if (change.templates) await assertTemplatesFit(tx, change.templates);
        if (before.filter === '' && group.filter !== '') {
          if (await store.hasMembers(tx, before.id))
            throw new DomainError(
              'failed_precondition',
              `Cannot give group "${before.name}" a filter: it has machines by hand; remove them first`,
            );
          await assertRoom(tx);
        }
        if (!(await store.updateGroup(tx, group))) throw taken('rename', group.name);
        await append(tx, 'group.updated', {actor, group});
        return group;
      });
    },

    delete: (actor: string, key: string): Promise<void> =>
      sql.begin(async tx => {
        const group = await get(key, tx, 'update');
        await store.deleteGroup(tx, group.id);
        await append(tx, 'group.deleted', {actor, group});
      }),

    /** Idempotent. Throws not_found, and failed_precondition when a filter says which machines are in it. */
    add: (actor: string, key: string, machineId: string): Promise<Group> =>
      sql.begin(async tx => {
        const group = await lockForMembers(tx, key, machineId);
        if (await store.insertMember(tx, group.id, machineId))
          await append(tx, 'group.machine_added', {actor, group, machineId});
        return group;
      }),

    /** Idempotent. */
    remove: (actor: string, key: string, machineId: string): Promise<Group> =>
      sql.begin(async tx => {
        const group = await lockForMembers(tx, key, machineId);
        if (await store.deleteMember(tx, group.id, machineId))
          await append(tx, 'group.machine_removed', {actor, group, machineId});
        return group;
      }),

    /** Its machines, of those that the query finds. */
    async machines(key: string, query: MachineQuery) {
      const {name} = await get(key);
      return search.list({...query, within: name});
    },

    /** Every group that the machine is in now. Throws not_found. */
    async ofMachine(machineId: string, tx: Sql = sql): Promise<readonly Group[]> {
      if (!(await findMachine(tx, machineId)))
        throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
      const members = await store.listGroupsOfMember(tx, machineId);
      const rules = await store.listRuleGroups(tx, ruleGroupsMax);
      const filters = rules.map(({filter}) => filter);
      const met = await search.meets(machineId, filters, tx);
      const matching = rules.filter((_, index) => met[index]);
      return [...members, ...matching].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

function taken(verb: string, name: string): DomainError {
  return new DomainError(
    'already_exists',
    `Cannot ${verb} group "${name}": the name is taken; choose another`,
  );
}
