import {DomainError} from '../errors.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/saved-searches.ts';
import type {SavedSearch} from '../store/saved-searches.ts';
import type {Deps} from './deps.ts';
import {isUuid} from './ids.ts';
import type {MachineSearch} from './machine-search.ts';

/** Of one person, and of everybody. */
export const searchesOfOwnerMax = 200;

/** Whoever asks: by name in the journal, and whether they may see and change what is everybody's. */
export type SearchCaller = {
  readonly name: string;
  /** The searches of the whole site tell about machines of all workspaces. */
  readonly seesShared?: boolean;
  readonly mayShare: boolean;
};

export type SavedSearches = ReturnType<typeof createSavedSearches>;

/** Filters that people come back to: their own, and everybody's. */
export function createSavedSearches({
  sql,
  now,
  newId,
  search,
}: Deps & {readonly search: MachineSearch}) {
  const ownersOf = ({name, seesShared = true}: SearchCaller) => (seesShared ? [name, ''] : [name]);

  /** By id or name; one's own comes before everybody's. Throws not_found. */
  async function get(caller: SearchCaller, key: string): Promise<SavedSearch> {
    const by = isUuid(key) ? {id: key} : {name: key};
    const found = key.includes('\0')
      ? undefined
      : await store.findSearch(sql, ownersOf(caller), by);
    if (found) return found;
    throw new DomainError(
      'not_found',
      `Cannot find search "${key}": "muster searches list" shows what there is`,
    );
  }

  function assertMayShare({mayShare}: SearchCaller, what: string): void {
    if (!mayShare)
      throw new DomainError(
        'permission_denied',
        `Cannot ${what}: it takes an operator to change what everybody sees`,
      );
  }

  return {
    get,

    /** By name: one's own, and everybody's. */
    list: (caller: SearchCaller): Promise<readonly SavedSearch[]> =>
      store.listSearches(sql, ownersOf(caller), 2 * searchesOfOwnerMax),

    /** In place of the one of this name. Throws invalid_argument when it means nothing. */
    async save(
      caller: SearchCaller,
      wanted: Pick<SavedSearch, 'name' | 'filter' | 'orderBy'> & {readonly shared: boolean},
    ): Promise<SavedSearch> {
      const {shared, ...content} = wanted;
      if (shared) assertMayShare(caller, `share search "${content.name}"`);
      await search.check(content.filter, content.orderBy);
      const owner = shared ? '' : caller.name;
      return sql.begin(async tx => {
        const saved = {...content, id: newId(), owner, createTime: now()};
        const kept = await store.saveSearch(tx, saved);
        if ((await store.countSearches(tx, owner)) > searchesOfOwnerMax)
          throw new DomainError(
            'resource_exhausted',
            `Cannot keep more than ${searchesOfOwnerMax} searches: delete one first`,
          );
        await append(tx, 'search.saved', {caller, search: kept});
        return kept;
      });
    },

    async delete(caller: SearchCaller, key: string): Promise<void> {
      const found = await get(caller, key);
      if (found.owner === '') assertMayShare(caller, `delete search "${found.name}"`);
      await sql.begin(async tx => {
        await store.deleteSearch(tx, found.id);
        await append(tx, 'search.deleted', {caller, search: found});
      });
    },
  };

  async function append(
    tx: Parameters<typeof appendEvent>[0],
    type: string,
    {caller, search: {id, name, owner, filter}}: {caller: SearchCaller; search: SavedSearch},
  ): Promise<void> {
    const subject = `searches/${id}`;
    const data = {name, filter, shared: owner === ''};
    await appendEvent(tx, {id: newId(), time: now(), type, actor: caller.name, subject, data});
  }
}
