import type {PendingQuery, Row as AnyRow} from 'postgres';
import type {Sql} from './db.ts';
import {compile, constant, type Fragment, join, part, yes} from './fragments.ts';
import {jsonPath} from './hardware-fields.ts';
import type {MachineField} from './machine-fields.ts';
import {type Machine, type MachineRow, toMachine} from './machines.ts';

/** Counted exactly; beyond it the planner's estimate is told. */
const countedExactlyMax = 1000;

export type OrderPart = {readonly field: MachineField; readonly descending: boolean};

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

/** By keyset: after the machine with these keys. */
export async function searchMachines(
  database: SearchDatabase,
  search: {
    readonly where: Fragment;
    readonly order: readonly OrderPart[];
    readonly after: readonly string[] | undefined;
    readonly limit: number;
    /** Names of columns; whatever is not among them is empty in the answer. Undefined is all. */
    readonly columns: ReadonlySet<string> | undefined;
  },
): Promise<readonly FoundMachine[]> {
  const order = [...search.order, {field: idField, descending: lastDescending(search.order)}];
  const keys = order.map(
    ({field}, index) => part`${keyText(field)} as ${constant(`key_${index}`)}`,
  );
  const rows = await run<MachineRow & Readonly<Record<string, string>>>(
    database,
    part`
      select ${columns(search.columns)}, last_seen_time, ${join(keys, ',')}
      from machines left join machine_presence on machine_id = machines.id
      where ${search.where} and ${search.after ? afterKeys(order, search.after) : yes}
      order by ${join(order.map(orderBy), ',')} limit ${constant(String(search.limit))}
    `,
  );
  return rows.map(row => ({
    ...toMachine(row),
    keys: order.map((_, index) => String(row[`key${index}`])),
  }));
}

/** Exact up to a thousand, else the planner's estimate. */
export async function countMachines(
  database: SearchDatabase,
  where: Fragment,
): Promise<{readonly count: number; readonly estimated: boolean}> {
  const matching = part`
    select machines.id from machines left join machine_presence on machine_id = machines.id where ${where}
  `;
  const [row] = await run<{count: number}>(
    database,
    part`select count(*)::int as count from (${matching} limit ${constant(String(countedExactlyMax + 1))}) as found`,
  );
  const count = row?.count ?? 0;
  if (count <= countedExactlyMax) return {count, estimated: false};
  const [plan] = await run<{
    readonly 'QUERY PLAN': readonly {readonly Plan: {readonly 'Plan Rows': number}}[];
  }>(database, part`explain (format json) ${matching}`);
  const rows = plan?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? count;
  return {count: Math.max(count, Math.round(rows)), estimated: true};
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

const idField: MachineField = {name: 'id', source: {kind: 'id'}, index: ''};

const lastDescending = (order: readonly OrderPart[]) => order.at(-1)?.descending ?? false;

const orderBy = ({field, descending}: OrderPart) =>
  part`${keyValue(field)}${constant(descending ? ' desc' : '')}`;

function keyValue({name, source}: MachineField): Fragment {
  if (source.kind === 'id') return constant('machines.id');
  if (source.kind === 'enum') return constant(source.sql);
  if (source.kind === 'text') return constant(`lower(${source.sql})`);
  if (source.kind === 'number' || source.kind === 'time')
    return constant(source.orderSql ?? source.sql);
  throw new Error(`"${name}" cannot be sorted by`);
}

/** Times in microseconds, so that no digit is lost. */
function keyText(field: MachineField): Fragment {
  const value = keyValue(field);
  if (field.source.kind === 'time')
    return part`(extract(epoch from ${value}) * 1000000)::bigint::text`;
  return part`(${value})::text`;
}

function keyParameter({source}: MachineField, text: string): Fragment {
  if (source.kind === 'id') return part`${text}::uuid`;
  if (source.kind === 'number') return part`${text}::text::bigint`;
  if (source.kind === 'time')
    return part`('epoch'::timestamptz + ${text}::text::bigint * interval '1 microsecond')`;
  return part`${text}::text`;
}

function afterKeys(order: readonly OrderPart[], after: readonly string[]): Fragment {
  const values = order.map(({field}, index) => keyParameter(field, after[index] ?? ''));
  const names = order.map(({field}) => keyValue(field));
  const descending = lastDescending(order);
  // As one row, which an index understands.
  if (order.every(part => part.descending === descending))
    return part`(${join(names, ',')}) ${constant(descending ? '<' : '>')} (${join(values, ',')})`;
  const steps = order.map((step, index) => {
    const same = names.slice(0, index).map((name, at) => part`${name} = ${values[at] ?? yes}`);
    const beyond = part`${names[index] ?? yes} ${constant(step.descending ? '<' : '>')} ${values[index] ?? yes}`;
    return part`(${join([...same, beyond], 'and')})`;
  });
  return part`(${join(steps, 'or')})`;
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

async function run<R>(
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
