import type {PendingQuery, Row as AnyRow} from 'postgres';
import type {Sql} from './db.ts';
import {compile, constant, type Fragment, join, part, yes} from './fragments.ts';
import {jsonPath} from './hardware-fields.ts';
import type {MachineField} from './machine-fields.ts';
import {afterKeys, keysOf, orderBy, type OrderPart, withId} from './machine-keys.ts';
import {type Machine, type MachineRow, toMachine} from './machines.ts';

/** Of `machines`; a test compares them with the table. */
export const machineColumns =
  'id state state_reason state_time trust quarantine_reason service_tag uuid manufacturer product mac_address mac_addresses hostname description notes labels nixos_config image_config templates desired_image_id booted_image_id last_good_image_id bad_image_ids failed_trials override_action override_image_id override_expire_time override_session override_actor override_time entry_action entry_image_id entry_actor entry_time cpu_threads cpu_model memory_bytes disk_count disk_bytes firmware_mode clock_skew_ms create_time update_time expected boot_id agent_version in_registration boot_time sighting_note workspace_id workspace_time ban_reason merged_into'.split(
    ' ',
  );
/** Always read; of the others only what is wanted, because some are long and each costs time. */
const leastColumns: ReadonlySet<string> = new Set(
  'id state state_time trust create_time update_time'.split(' '),
);

/**
 * Frequent shapes of searches are prepared, the first so many that come; one that is made up anew each time must not fill the memory of every
 * connection.
 */
const preparedMax = 200;

export type SearchDatabase = {
  readonly sql: Sql;
  /** Texts of queries that were seen. */
  readonly shapes: Set<string>;
  /** Some filters look at every machine: none may keep the database busy for longer. */
  readonly timeoutMs: number;
};

/** A search that was stopped. */
export class SearchTimeout extends Error {
  override readonly name = 'SearchTimeout';
}

/** A machine with its place in the order: one text for each part, and the id. */
export type FoundMachine = Machine & {readonly keys: readonly string[]};

type Place = {
  readonly where: Fragment;
  readonly order: readonly OrderPart[];
  /** The keys of a machine: what comes after it. */
  readonly after: readonly string[] | undefined;
  /** So many are passed over from there. */
  readonly skip?: number | undefined;
};

/** By keyset. */
export async function searchMachines(
  database: SearchDatabase,
  search: Place & {
    readonly limit: number;
    /** Names of columns; whatever is not among them is empty in the answer. Undefined is all. */
    readonly columns: ReadonlySet<string> | undefined;
  },
): Promise<readonly FoundMachine[]> {
  const order = withId(search.order);
  const after = search.skip ? await findKeysAfter(database, search) : search.after;
  if (search.skip && !after) return [];
  const rows = await run<MachineRow & Readonly<Record<string, string>>>(
    database,
    part`
      select ${columns(search.columns)}, last_seen_time, ${keysOf(order)}
      from machines left join machine_presence on machine_id = machines.id
      where ${search.where} and ${after ? afterKeys(order, after) : yes}
      order by ${join(order.map(orderBy), ',')} limit ${constant(String(search.limit))}
    `,
  );
  return rows.map(row => ({
    ...toMachine(row),
    keys: order.map((_, index) => String(row[`key${index}`])),
  }));
}

/**
 * The keys of the last of those that are passed over; undefined when there are fewer. Only keys are read: a hundred thousand rows are a walk along
 * the index.
 */
async function findKeysAfter(
  database: SearchDatabase,
  {where, after, skip = 0, ...search}: Place,
): Promise<readonly string[] | undefined> {
  const order = withId(search.order);
  const [row] = await run<Readonly<Record<string, string>>>(
    database,
    part`
      select ${keysOf(order)} from machines left join machine_presence on machine_id = machines.id
      where ${where} and ${after ? afterKeys(order, after) : yes}
      order by ${join(order.map(orderBy), ',')} offset ${String(skip - 1)}::text::bigint limit 1
    `,
  );
  return row && order.map((_, index) => String(row[`key${index}`]));
}

/** Which of the conditions this machine meets. */
export async function meetsFilters(
  database: SearchDatabase,
  machineId: string,
  conditions: readonly Fragment[],
): Promise<readonly boolean[]> {
  if (conditions.length === 0) return [];
  const met = conditions.map(condition => part`(${condition}) is true`);
  return askOf<boolean>(database, machineId, met);
}

export type FacetValue = {readonly value: string; readonly count: number};

/** How many machines have each value, the most frequent first. A machine counts once for each value that it has. */
export async function countFacet(
  database: SearchDatabase,
  facet: {
    readonly where: Fragment;
    readonly field: MachineField;
    readonly key: string | undefined;
    readonly limit: number;
  },
): Promise<readonly FacetValue[]> {
  const values = facetValues(facet.field, facet.key);
  if (!values) throw new Error(`"${facet.field.name}" has no facet`);
  return run<FacetValue>(
    database,
    part`
      select value, count(*)::int as count
      from machines left join machine_presence on machine_id = machines.id, lateral (${values}) as facet (value)
      where ${facet.where} and value is not null and value <> ''
      group by value order by count desc, value limit ${constant(String(facet.limit))}
    `,
  );
}

export const hasFacet = (field: MachineField): boolean =>
  facetValues(field, undefined) !== undefined;

/** What the machine has in each of the fields, as people read it; empty for nothing. */
export async function readValues(
  database: SearchDatabase,
  machineId: string,
  fields: readonly {readonly field: MachineField; readonly key: string | undefined}[],
): Promise<readonly string[]> {
  if (fields.length === 0) return [];
  const values = fields.map(({field, key}) => {
    const found = facetValues(field, key) ?? otherValues(field);
    return found
      ? part`coalesce((select string_agg(value, ', ') from (${found} limit 8) as found (value)), '')`
      : part`''`;
  });
  return askOf<string>(database, machineId, values);
}

/** What each of these expressions is for one machine. */
async function askOf<Value>(
  database: SearchDatabase,
  machineId: string,
  expressions: readonly Fragment[],
): Promise<readonly Value[]> {
  const [row] = await run<{answers: readonly Value[]}>(
    database,
    // Under the table's own name: a condition looks at one machine's inventory, not for all that are like it.
    part`
      with machine_search as materialized (
        select * from public.machine_search where machine_id = ${machineId}::uuid
      )
      select array[${join(expressions, ',')}] as answers
      from machines left join machine_presence on machine_id = machines.id where machines.id = ${machineId}::uuid
    `,
  );
  return row?.answers ?? [];
}

function otherValues({source}: MachineField): Fragment | undefined {
  if (source.kind === 'id') return part`select machines.id::text`;
  if (source.kind === 'time') return part`select (${constant(source.sql)})::text`;
  return source.kind === 'texts' ? part`select unnest(${constant(source.sql)})` : undefined;
}

function facetValues({source}: MachineField, key: string | undefined): Fragment | undefined {
  switch (source.kind) {
    case 'text':
    case 'enum':
      return part`select ${constant(source.sql)}`;
    case 'number':
      return part`select (${constant(source.sql)})::text`;
    case 'templates':
      return part`select distinct item ->> 'name' from jsonb_array_elements(templates) as item`;
    case 'labels':
      return key === undefined
        ? part`select jsonb_object_keys(labels)`
        : part`select labels ->> ${key}`;
    case 'hardware':
      return part`
        select distinct item #>> '{}'
        from machine_search, jsonb_path_query(facts, ${jsonPath(source.field)}::text::jsonpath) as item
        where machine_search.machine_id = machines.id
      `;
    default:
      return undefined;
  }
}

function columns(wanted: ReadonlySet<string> | undefined): Fragment {
  const names = machineColumns.filter(
    name => !wanted || wanted.has(name) || leastColumns.has(name),
  );
  return constant(
    names
      .map(name => (name === 'labels' ? 'labels::text as labels_text' : `machines.${name}`))
      .join(', '),
  );
}

export async function run<R>(
  {sql, shapes, timeoutMs}: SearchDatabase,
  fragment: Fragment,
): Promise<readonly R[]> {
  const {text, parameters} = compile(fragment);
  if (shapes.size < preparedMax) shapes.add(text);
  const query = sql.unsafe(text, parameters as never[], {
    prepare: shapes.has(text),
  }) as unknown as PendingQuery<AnyRow[]>;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    query.cancel();
  }, timeoutMs);
  try {
    return (await query) as unknown as readonly R[];
  } catch (error) {
    if (late) throw new SearchTimeout('The search took too long', {cause: error});
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
