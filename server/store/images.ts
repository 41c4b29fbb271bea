import {type BootTest, insertBootTests, listBootTests} from './boot-tests.ts';
import type {Sql} from './db.ts';
import {imageInScope, masked} from './image-scope.ts';

export type ImageKind = 'registration' | 'machine' | 'rescue' | 'uploaded';
export type ImageVariant = 'full' | 'virtual';

export type Artifact = {
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
};

export type ImageManifest = {
  readonly kernel: Artifact;
  /** In load order. */
  readonly initrds: readonly Artifact[];
  /** Lowest first. */
  readonly layers: readonly Artifact[];
  readonly commandLine: string;
};

export type Image = ImageManifest & {
  readonly id: string;
  readonly kind: ImageKind;
  readonly variant: ImageVariant;
  readonly backend: string;
  readonly inputKey: string;
  /** Least memory that boots it. */
  readonly memoryRequiredBytes: number;
  readonly bootTests: readonly BootTest[];
  readonly buildId: string | undefined;
  readonly createTime: Date;
};

export type ImageToBoot = Omit<Image, 'bootTests' | 'buildId'>;

type Row = Omit<Image, keyof ImageManifest | 'bootTests' | 'memoryRequiredBytes' | 'buildId'> & {
  readonly manifest: ImageManifest;
  readonly memoryRequiredBytes: string;
  readonly buildId: string | null;
};

/** The image with this input key when there is one, else the one with this content: of two builds at once both get the same. */
export async function insertImage(sql: Sql, image: Image): Promise<Image> {
  const {kernel, initrds, layers, commandLine, bootTests, ...row} = image;
  const manifest = JSON.stringify({kernel, initrds, layers, commandLine});
  const inserted = await sql`
    insert into images (id, kind, variant, backend, input_key, manifest, memory_required_bytes, build_id, create_time)
    values (
      ${row.id}, ${row.kind}, ${row.variant}, ${row.backend}, ${row.inputKey}, ${manifest}::text::jsonb,
      ${row.memoryRequiredBytes}, ${row.buildId ?? null}, ${row.createTime}
    )
    on conflict do nothing
  `;
  if (inserted.count === 1) {
    await insertBootTests(sql, image.id, bootTests);
    return image;
  }
  const existing =
    (await findImageByInputKey(sql, image.inputKey)) ?? (await findImages(sql, [image.id]))[0];
  if (!existing) throw new Error(`Image "${image.id}" is neither new nor known`);
  return existing;
}

/** Those of these ids that exist, in no particular order. */
export async function findImages(sql: Sql, ids: readonly string[]): Promise<readonly Image[]> {
  if (ids.length === 0) return [];
  return toImages(
    sql,
    await sql<Row[]>`select * from images where id in ${sql(ids)} and ${imageInScope(sql)}`,
  );
}

/** The same without their boot tests: half of what it costs, and nobody who boots asks for them. */
export async function findImagesToBoot(
  sql: Sql,
  ids: readonly string[],
): Promise<readonly ImageToBoot[]> {
  if (ids.length === 0) return [];
  const rows = await sql<Omit<Row, 'buildId'>[]>`
    select id, kind, variant, backend, input_key, manifest, memory_required_bytes, create_time from images
    where id in ${sql(ids)} and ${imageInScope(sql)}
  `;
  return rows.map(toImage);
}

export async function findImageByInputKey(sql: Sql, inputKey: string): Promise<Image | undefined> {
  const rows = await sql<Row[]>`select * from images where input_key = ${inputKey}`;
  return (await toImages(sql, rows))[0];
}

/** The newest one that this file is part of. */
export async function findImageByArtifact(sql: Sql, sha256: string): Promise<Image | undefined> {
  const one = JSON.stringify({sha256});
  const many = JSON.stringify([{sha256}]);
  const rows = await sql<Row[]>`
    select * from images
    where (
      manifest->'kernel' @> ${one}::text::jsonb or manifest->'initrds' @> ${many}::text::jsonb
      or manifest->'layers' @> ${many}::text::jsonb
    ) and ${imageInScope(sql)}
    order by create_time desc, id desc limit 1
  `;
  return (await toImages(sql, rows))[0];
}

/** The newest one; undefined while none was ever built. */
export async function latestRegistrationImage(
  sql: Sql,
  variant: ImageVariant,
): Promise<Image | undefined> {
  const rows = await sql<Row[]>`
    select * from images where kind = 'registration' and variant = ${variant}
    order by create_time desc, id desc limit 1
  `;
  return (await toImages(sql, rows))[0];
}

/** The newest registration image of each variant that has one. */
export async function listRegistrationImageIds(
  sql: Sql,
): Promise<ReadonlyMap<ImageVariant, string>> {
  const rows = await sql<{variant: ImageVariant; id: string}[]>`
    select distinct on (variant) variant, id from images where kind = 'registration'
    order by variant, create_time desc, id desc
  `;
  return new Map(rows.map(({variant, id}) => [variant, id]));
}

/** Newest first; `before` names the last image of the page before. */
export async function listImages(
  sql: Sql,
  page: {
    readonly kind: ImageKind | undefined;
    readonly before: string | undefined;
    readonly limit: number;
  },
): Promise<readonly Image[]> {
  const {kind, before, limit} = page;
  const rows = await sql<Row[]>`
    select * from images
    where ${kind === undefined ? sql`true` : sql`kind = ${kind}`}
      and ${before === undefined ? sql`true` : sql`(create_time, id) < (select create_time, id from images where id = ${before} and ${imageInScope(sql)})`}
      and ${imageInScope(sql)}
    order by create_time desc, id desc limit ${limit}
  `;
  return toImages(sql, rows);
}

async function toImages(sql: Sql, rows: readonly Row[]): Promise<readonly Image[]> {
  const tests = await listBootTests(
    sql,
    rows.map(row => row.id),
  );
  const images = rows.map(row => ({
    ...toImage(row),
    buildId: row.buildId ?? undefined,
    bootTests: tests.get(row.id) ?? [],
  }));
  return masked(sql, images);
}

function toImage({manifest, ...row}: Omit<Row, 'buildId'>): ImageToBoot {
  return {...row, ...manifest, memoryRequiredBytes: Number(row.memoryRequiredBytes)};
}
