import type {Sql} from './db.ts';

export type StorePath = {
  /** The 32 characters that name it. */
  readonly hash: string;
  /** As machines get it. */
  readonly narinfo: string;
  /** What it refers to, itself left out. */
  readonly referenceHashes: readonly string[];
  readonly narSha256: string;
  readonly narSizeBytes: number;
};

type Row = Omit<StorePath, 'narSizeBytes'> & {readonly narSizeBytes: string};

/** They count as used now. Those of them that are known. */
export async function touchStorePaths(
  sql: Sql,
  hashes: readonly string[],
  time: Date,
): Promise<readonly Pick<StorePath, 'hash' | 'referenceHashes'>[]> {
  // In one order, so that two builders at once wait for each other and not in a circle.
  return sql<Pick<StorePath, 'hash' | 'referenceHashes'>[]>`
    with locked as (
      select hash from store_paths where hash = any(${hashes}::text[]) order by hash for update
    )
    update store_paths set use_time = ${time} from locked where store_paths.hash = locked.hash
    returning store_paths.hash, store_paths.reference_hashes
  `;
}

/** What is known stays as it is: machines may have been told of it. */
export async function insertStorePath(sql: Sql, path: StorePath, time: Date): Promise<void> {
  const {hash, narinfo, referenceHashes, narSha256, narSizeBytes} = path;
  await sql`
    insert into store_paths (hash, narinfo, reference_hashes, nar_sha256, nar_size_bytes, use_time)
    values (${hash}, ${narinfo}, ${referenceHashes}::text[], ${narSha256}, ${narSizeBytes}, ${time})
    on conflict (hash) do update set use_time = excluded.use_time
  `;
}

export type StorePathKey = {readonly hash: string} | {readonly narSha256: string};

export async function findStorePath(sql: Sql, key: StorePathKey): Promise<StorePath | undefined> {
  const [row] = await sql<Row[]>`
    select hash, narinfo, reference_hashes, nar_sha256, nar_size_bytes from store_paths
    where ${'hash' in key ? sql`hash = ${key.hash}` : sql`nar_sha256 = ${key.narSha256}`}
    order by hash limit 1
  `;
  return row && {...row, narSizeBytes: Number(row.narSizeBytes)};
}

/** False when it was known; then it has these paths from now on. */
export async function putSystem(
  sql: Sql,
  {inputKey, hashes}: {readonly inputKey: string; readonly hashes: readonly string[]},
  time: Date,
): Promise<boolean> {
  const [row] = await sql<{isNew: boolean}[]>`
    insert into systems (input_key, hashes, use_time) values (${inputKey}, ${hashes}::text[], ${time})
    on conflict (input_key) do update set hashes = excluded.hashes, use_time = excluded.use_time
    returning xmax = 0 as is_new
  `;
  return row?.isNew ?? false;
}

/** What a collection removes, once the images left out are gone: what no image needs and no builder has used since. */
export type Collectable = {
  readonly exceptImageIds: readonly string[];
  readonly before: Date;
};

const neededSystems = (sql: Sql, {exceptImageIds, before}: Collectable) => sql`
  select hashes from systems where use_time >= ${before}
    or input_key in (select input_key from images where not id = any(${exceptImageIds}::text[]))
`;

/** How many paths. */
export async function deleteUnneededStorePaths(sql: Sql, before: Date): Promise<number> {
  const needed = neededSystems(sql, {exceptImageIds: [], before});
  await sql`
    delete from systems where use_time < ${before} and input_key not in (select input_key from images)
  `;
  const {count} = await sql`
    delete from store_paths
    where use_time < ${before} and hash not in (select unnest(hashes) from (${needed}) as needed)
  `;
  return count;
}

/** Files of the image store that store paths need. */
export async function listNeededArchives(
  sql: Sql,
  collectable: Collectable,
): Promise<ReadonlySet<string>> {
  const rows = await sql<{narSha256: string}[]>`
    select distinct nar_sha256 from store_paths
    where use_time >= ${collectable.before}
      or hash in (select unnest(hashes) from (${neededSystems(sql, collectable)}) as needed)
  `;
  return new Set(rows.map(({narSha256}) => narSha256));
}
