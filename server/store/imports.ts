import type {Sql} from './db.ts';

export type OriginKind = 'machine' | 'group' | 'user';

export type OriginKey = {
  readonly source: string;
  readonly kind: OriginKind;
  readonly originId: string;
};

/** Name of what was taken → digest of its value there. */
export type Taken = Readonly<Record<string, string>>;

export type Origin = {readonly localId: string; readonly taken: Taken};

/** One import of a source at a time, until the transaction ends. */
export async function lockImports(sql: Sql, source: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`import:${source}`}, 0))`;
}

export async function findOrigin(sql: Sql, key: OriginKey): Promise<Origin | undefined> {
  const [row] = await sql<{localId: string; takenText: string}[]>`
    select local_id, taken::text as taken_text from import_origins
    where source = ${key.source} and kind = ${key.kind} and origin_id = ${key.originId}
  `;
  return row && {localId: row.localId, taken: JSON.parse(row.takenText) as Taken};
}

/** By origin; without those that were not brought over. */
export async function findOrigins(
  sql: Sql,
  {source, kind}: Omit<OriginKey, 'originId'>,
  originIds: readonly string[],
): Promise<ReadonlyMap<string, Origin>> {
  const rows = await sql<{originId: string; localId: string; takenText: string}[]>`
    select wanted.origin_id, local_id, taken_text
    from unnest(${[...new Set(originIds)]}::text[]) as wanted (origin_id)
    cross join lateral (
      select local_id, taken::text as taken_text from import_origins
      where source = ${source} and kind = ${kind} and origin_id = wanted.origin_id limit 1
    ) as origin
  `;
  return new Map(
    rows.map(({originId, localId, takenText}) => [
      originId,
      {localId, taken: JSON.parse(takenText) as Taken},
    ]),
  );
}

/** Of the same source: which of its records these rows here are, by row. */
export async function findOriginsOfLocals(
  sql: Sql,
  {source, kind}: Omit<OriginKey, 'originId'>,
  localIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{originId: string; localId: string}[]>`
    select wanted.local_id, origin_id
    from unnest(${[...new Set(localIds)]}::text[]::uuid[]) as wanted (local_id)
    cross join lateral (
      select origin_id from import_origins
      where source = ${source} and kind = ${kind} and local_id = wanted.local_id limit 1
    ) as origin
  `;
  return new Map(rows.map(({originId, localId}) => [localId, originId]));
}

/** Origin → machine here; those that were not brought over, or are here no more, are not in it. */
export async function findMachinesOfOrigins(
  sql: Sql,
  source: string,
  originIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql<{originId: string; localId: string}[]>`
    select origin_id, local_id from import_origins join machines on id = local_id
    where source = ${source} and kind = 'machine' and origin_id = any(${[...new Set(originIds)]}::text[])
  `;
  return new Map(rows.map(({originId, localId}) => [originId, localId]));
}

export async function putOrigin(
  sql: Sql,
  {source, kind, originId}: OriginKey,
  {localId, taken, time}: Origin & {readonly time: Date},
): Promise<void> {
  await sql`
    insert into import_origins (source, kind, origin_id, local_id, taken, create_time, update_time)
    values (${source}, ${kind}, ${originId}, ${localId}, ${JSON.stringify(taken)}::text::jsonb, ${time}, ${time})
    on conflict (source, kind, origin_id)
    do update set local_id = excluded.local_id, taken = excluded.taken, update_time = excluded.update_time
  `;
}

/** Each origin once. */
export async function putOrigins(
  sql: Sql,
  {source, kind}: Omit<OriginKey, 'originId'>,
  origins: ReadonlyMap<string, Origin & {readonly time: Date}>,
): Promise<void> {
  if (origins.size === 0) return;
  const rows = [...origins].map(([originId, origin]) => ({originId, ...origin}));
  await sql`
    insert into import_origins (source, kind, origin_id, local_id, taken, create_time, update_time)
    select ${source}, ${kind}, "originId", "localId", taken, time, time
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as origin (
      "originId" text, "localId" uuid, taken jsonb, time timestamptz
    )
    on conflict (source, kind, origin_id)
    do update set local_id = excluded.local_id, taken = excluded.taken, update_time = excluded.update_time
  `;
}

/** Of these MACs those that a machine is known by. */
export async function findMacOwners(
  sql: Sql,
  macs: readonly string[],
): Promise<readonly {readonly value: string; readonly machineId: string}[]> {
  return sql<{value: string; machineId: string}[]>`
    select mac as value, machine_id from unnest(${macs}::text[]) as mac
    cross join unnest(array['mac', 'local_mac']) as mac_kind
    cross join lateral (
      select machine_id from machine_evidence where kind = mac_kind and value = mac offset 0
    ) as owner
  `;
}

export type ImportedRecord = {
  readonly source: string;
  readonly kind: string;
  readonly originId: string;
  readonly machineId: string;
  readonly time: Date;
  readonly title: string;
  /** JSON. */
  readonly details: string;
};

/** How many are new. */
export async function insertRecords(
  sql: Sql,
  records: readonly (ImportedRecord & {readonly id: string})[],
): Promise<number> {
  if (records.length === 0) return 0;
  const result = await sql`
    insert into imported_records (id, source, kind, origin_id, machine_id, time, title, details)
    select * from json_to_recordset(${JSON.stringify(records)}::text::json) as record (
      "id" uuid, "source" text, "kind" text, "originId" text, "machineId" uuid, "time" timestamptz, "title" text,
      "details" text
    )
    on conflict do nothing
  `;
  return result.count;
}

export type ListedRecord = ImportedRecord & {
  readonly id: string;
  /** PostgreSQL's own text, so that no digit is lost. */
  readonly timeText: string;
};

/** Newest first, after the one given. */
export async function listRecords(
  sql: Sql,
  page: {
    readonly machineId: string;
    readonly after: {readonly time: string; readonly id: string} | undefined;
    readonly limit: number;
  },
): Promise<readonly ListedRecord[]> {
  const {machineId, after, limit} = page;
  return sql<ListedRecord[]>`
    select *, time::text as time_text from imported_records
    where machine_id = ${machineId}
      ${after ? sql`and (time, id) < (${after.time}::text::timestamptz, ${after.id}::uuid)` : sql``}
    order by time desc, id desc limit ${limit}
  `;
}
