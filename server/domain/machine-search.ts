import {parseFilter} from '../filter/parser.ts';
import {type Filter, FilterError} from '../filter/syntax.ts';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {findGroupsByName} from '../store/groups.ts';
import {type Fragment, join, part} from '../store/fragments.ts';
import {
  conditionOf,
  type GroupMembers,
  membership,
  type SearchContext,
} from '../store/machine-conditions.ts';
import {countMachines, type Total} from '../store/machine-counts.ts';
import {findMachineField, machineFields} from '../store/machine-fields.ts';
import * as store from '../store/machine-search.ts';
import {searchScope, seesEverything} from '../store/scope.ts';
import type {Machine, MachineState} from '../store/machines.ts';
import {concealIn} from './concealed.ts';
import type {Deps} from './deps.ts';
import {hasWords, namesOfGroups} from './filter-leaves.ts';
import {lifecycle} from './lifecycle.ts';
import {parseOrder} from './machine-order.ts';
import {type BusStatus, offlineAfterMs, presenceOf} from './presence.ts';
import {decodeSearchToken, digestOf, encodeSearchToken} from './search-tokens.ts';

const pageSizeDefault = 50;
const facetValuesDefault = 20;
const searchTimeoutMs = 5000;
/** Written by the server, about the machine and what it looks like. */
export const reasons = ['stateReason', 'quarantineReason', 'sightingNote'] as const;

export type MachineSearch = ReturnType<typeof createMachineSearch>;

export type MachineQuery = {
  readonly filter: string;
  readonly orderBy: string;
  readonly states: readonly MachineState[];
  /** Only machines of this group. */
  readonly within?: string;
  readonly pageSize: number;
  readonly pageToken: string;
  readonly countTotal: boolean;
  /** Counted to the last one, when there is time for it. */
  readonly exactTotal?: boolean;
  /** So many are passed over, from the page token on. */
  readonly skip?: number;
  /** Columns that the answer needs; undefined is all. */
  readonly columns: ReadonlySet<string> | undefined;
};

export type MachinePage = {
  readonly machines: readonly Machine[];
  readonly nextPageToken: string;
  readonly total: Total | undefined;
  readonly similar: boolean;
};

export type Facet = {
  readonly field: string;
  readonly values: readonly store.FacetValue[];
  readonly more: boolean;
};

/** Finding machines: the one language of lists, groups and saved searches (docs/search.md). */
export function createMachineSearch({
  sql,
  now,
  busStatus,
  timeoutMs = searchTimeoutMs,
}: Pick<Deps, 'sql' | 'now'> & {
  readonly busStatus: () => BusStatus;
  readonly timeoutMs?: number;
}) {
  const database = {sql, shapes: new Set<string>(), timeoutMs};

  /** What the filter means now. Throws invalid_argument. */
  async function prepare(text: string, within?: string, tx: Sql = sql): Promise<Prepared> {
    const filter = refusing(text, () => parseFilter(text));
    const names = [...namesOfGroups(filter), ...(within === undefined ? [] : [within])];
    const groups = await findGroups(tx, names);
    const findGroup = (name: string) => groups.get(name.toLowerCase());
    const context = contextOf(now(), busStatus(), findGroup);
    const group = within === undefined ? undefined : findGroup(within);
    const where = (similar: boolean) =>
      refusing(text, () => conditionOf(filter, {...context, similar}));
    const bounds = [searchScope(), ...(group ? [membership(group, context)] : [])];
    return {filter, where: similar => join([...bounds, where(similar)], 'and')};
  }

  return {
    /** By keyset. When nothing holds the words of the filter, what is like them. Throws invalid_argument. */
    async list(query: MachineQuery): Promise<MachinePage> {
      const {filter, where} = await prepare(query.filter, query.within);
      const order = parseOrder(query.orderBy);
      const digest = digestOf([query.filter, query.orderBy, query.within ?? '', ...query.states]);
      const token = decodeSearchToken(query.pageToken, {digest, order});
      const limit = query.pageSize || pageSizeDefault;
      const find = async (similar: boolean) => {
        const condition = withStates(where(similar), query.states);
        const place = {where: condition, order, after: token?.keys, skip: query.skip};
        const page = {...place, limit: limit + 1, columns: query.columns};
        const rows = await timely(store.searchMachines(database, page));
        const total = query.countTotal
          ? await timely(countMachines(database, condition, query.exactTotal))
          : undefined;
        return {rows, total, similar};
      };

      const first = await find(token?.similar ?? false);
      const retry = first.rows.length === 0 && !token && !query.skip && hasWords(filter);
      const {rows, total, similar} = retry ? await find(true) : first;
      const machines = await concealIn(sql, rows.slice(0, limit), reasons);
      const last = rows.length > limit ? machines.at(-1) : undefined;
      const nextPageToken = last ? encodeSearchToken(digest, {keys: last.keys, similar}) : '';
      return {machines, nextPageToken, total, similar: similar && machines.length > 0};
    },

    /** In the caller's transaction: the oldest of all that match now. Words are taken as they stand. Throws invalid_argument. */
    async choose(
      tx: Sql,
      {filter, within}: Pick<MachineQuery, 'filter' | 'within'>,
      limit: number,
    ): Promise<readonly Machine[]> {
      const where = (await prepare(filter, within, tx)).where(false);
      const columns = new Set(['hostname', 'service_tag']);
      const search = {where, order: parseOrder(''), after: undefined, limit, columns};
      return timely(store.searchMachines({...database, sql: tx}, search));
    },

    /** Throws invalid_argument. */
    async facets(request: {
      readonly filter: string;
      readonly fields: readonly string[];
      readonly valuesMax: number;
    }): Promise<readonly Facet[]> {
      const where = withStates((await prepare(request.filter)).where(false), []);
      const limit = request.valuesMax || facetValuesDefault;
      const facets: Facet[] = [];
      for (const name of request.fields) {
        const found = findMachineField(name.split('.'));
        if (!found || !store.hasFacet(found.field))
          throw new DomainError(
            'invalid_argument',
            `Cannot count machines by "${name}": it is no field that has facets; "muster machines fields" lists them`,
          );
        const counting = store.countFacet(database, {where, ...found, limit: limit + 1});
        const values = await timely(counting);
        facets.push({field: name, values: values.slice(0, limit), more: values.length > limit});
      }
      return facets;
    },

    /** Whether it means something. Throws invalid_argument. */
    async check(filter: string, orderBy = ''): Promise<void> {
      (await prepare(filter)).where(false);
      parseOrder(orderBy);
    },

    /** Which of the filters this machine meets now. */
    async meets(
      machineId: string,
      filters: readonly string[],
      tx: Sql = sql,
    ): Promise<readonly boolean[]> {
      const prepared = await Promise.all(filters.map(text => prepare(text, undefined, tx)));
      const wheres = prepared.map(({where}) => where(false));
      return store.meetsFilters({...database, sql: tx}, machineId, wheres);
    },

    /** The same in a transaction; a sentence in place of an answer where a filter means nothing any more. */
    async judge(tx: Sql, machineId: string, filters: readonly string[]) {
      const prepared: (Fragment | string)[] = [];
      for (const text of filters)
        prepared.push(
          await orProblem(async () => (await prepare(text, undefined, tx)).where(false)),
        );
      const wheres = prepared.filter(where => typeof where !== 'string');
      const met = await timely(store.meetsFilters({...database, sql: tx}, machineId, wheres));
      let next = 0;
      return prepared.map(where => (typeof where === 'string' ? where : met[next++] === true));
    },

    /** What the machine has in these fields; empty where it has nothing, and where the field is none of its own. */
    values: (machineId: string, paths: readonly (readonly string[])[]) => {
      const found = paths.map(path => findMachineField(path) ?? noField);
      return timely(store.readValues(database, machineId, found));
    },

    fields: () => [...machineFields.values()],
  };
}

const noField = {
  field: {name: '', source: {kind: 'group'}, index: ''},
  key: undefined,
} as const;

async function orProblem<T>(find: () => Promise<T>): Promise<T | string> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
}

type Prepared = {
  readonly filter: Filter | undefined;
  readonly where: (similar: boolean) => Fragment;
};

/** By name in lower case. Groups are the whole site's: whoever sees some workspaces only knows of none. */
async function findGroups(
  sql: Sql,
  names: readonly string[],
): Promise<ReadonlyMap<string, GroupMembers>> {
  const groups = names.length > 0 && seesEverything() ? await findGroupsByName(sql, names) : [];
  return new Map(
    groups.map(({id, name, filter}) => [
      name.toLowerCase(),
      {id, filter: refusing(filter, () => parseFilter(filter))},
    ]),
  );
}

function contextOf(
  now: Date,
  busStatus: BusStatus,
  findGroup: SearchContext['findGroup'],
): SearchContext {
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  return {
    now,
    onlineSince: new Date(now.getTime() - offlineAfterMs),
    silent: presenceOf(undefined, now, busStatus) === 'unknown' ? 'unknown' : 'offline',
    stuckBefore: Object.fromEntries(
      Object.entries(lifecycle).flatMap(([state, {limitSeconds}]) =>
        limitSeconds === undefined ? [] : [[state, before(limitSeconds)]],
      ),
    ),
    findGroup,
    similar: false,
  };
}

/** Records that went into others are in no list. */
const withStates = (where: Fragment, states: readonly MachineState[]): Fragment =>
  join(
    [
      part`machines.merged_into is null`,
      ...(states.length === 0 ? [] : [part`state = any(${states}::text[])`]),
      where,
    ],
    'and',
  );

/** With the place, counted from 1 as people count. */
export function refusing<T>(text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new DomainError(
      'invalid_argument',
      `Cannot use this filter: ${error.message} (character ${error.offset + 1} of ${text.length})`,
      {cause: error},
    );
  }
}

async function timely<T>(search: Promise<T>): Promise<T> {
  try {
    return await search;
  } catch (error) {
    if (!(error instanceof store.SearchTimeout)) throw error;
    throw new DomainError(
      'resource_exhausted',
      `Cannot finish the search in time: narrow it by state, label or another indexed field`,
      {cause: error},
    );
  }
}
