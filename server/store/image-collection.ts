import type {Sql} from './db.ts';
import {imageInScope} from './image-scope.ts';
import type {Artifact, ImageKind, ImageVariant} from './images.ts';

/** Any constant that nobody else locks. */
const artifactsLock = 0x6d_75_69_6d;

/** What a collection needs to know of an image. */
export type ImageOutline = {
  readonly id: string;
  readonly kind: ImageKind;
  readonly variant: ImageVariant;
  readonly createTime: Date;
};

/** Until the transaction ends no file of the image store is removed: what is seen there is there when the image that names it is committed. */
export async function holdArtifacts(sql: Sql): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${artifactsLock})`;
}

/** Waits for the transactions that hold the artifacts, and they for this one. */
export async function lockArtifacts(sql: Sql): Promise<void> {
  await sql`select pg_advisory_xact_lock(${artifactsLock})`;
}

/** It stays until the transaction ends; false when there is no such image. In the transaction that names it. */
export async function holdImage(sql: Sql, id: string): Promise<boolean> {
  const rows =
    await sql`select 1 from images where id = ${id} and ${imageInScope(sql)} for key share`;
  return rows.length > 0;
}

export async function listImageOutlines(sql: Sql): Promise<readonly ImageOutline[]> {
  return sql<
    ImageOutline[]
  >`select id, kind, variant, create_time from images order by create_time, id`;
}

/** Waits for those who are about to name one of these. */
export async function lockImages(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql`select 1 from images where id = any(${ids}::text[]) order by id for update`;
}

/** Named by a machine, by a boot, a build or a test that is under way, or held back for a machine: each as far as it is committed. */
export async function listUsedImageIds(sql: Sql): Promise<ReadonlySet<string>> {
  const rows = await sql<{id: string}[]>`
    select distinct id from (
      select unnest(array[desired_image_id, booted_image_id, last_good_image_id, override_image_id, entry_image_id]) as id
      from machines
      union all select image_id from boot_sessions where state = 'open'
      union all select unnest(found_image_ids || image_id) from builds where live
      union all select image_id from image_tests where status in ('pending', 'running')
      union all select image_id from held_images
    ) as used where id is not null
  `;
  return new Set(rows.map(({id}) => id));
}

export async function deleteImages(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql`delete from images where id = any(${ids}::text[])`;
}

/** Of all images but those left out, and of their tests. */
export async function listNamedDigests(
  sql: Sql,
  except: readonly string[] = [],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{sha256: string}[]>`
    select distinct artifact->>'sha256' as sha256 from images, lateral jsonb_array_elements(
      jsonb_build_array(manifest->'kernel') || (manifest->'initrds') || (manifest->'layers')
    ) as artifact
    where not id = any(${except}::text[])
    union
    select file->>'sha256' from image_tests, lateral unnest(array[disk, screenshot, serial_log]) as file
    where file is not null and (image_id is null or not image_id = any(${except}::text[]))
  `;
  return new Set(rows.map(({sha256}: Pick<Artifact, 'sha256'>) => sha256));
}

/** A builder was told of this image: it stays as long as one of that builder's builds is alive. The builds are locked first, as at their end. */
export async function noteFoundImage(
  sql: Sql,
  {builderId, imageId}: {readonly builderId: string; readonly imageId: string},
): Promise<void> {
  await sql`
    update builds set found_image_ids = array_append(found_image_ids, ${imageId})
    where live and builder_id = ${builderId} and not found_image_ids @> array[${imageId}::text]
  `;
}

/** In the transaction of `noteFoundImage`, before it. */
export async function lockLiveBuildsOf(sql: Sql, builderId: string): Promise<void> {
  await sql`
    select 1 from builds where live and builder_id = ${builderId} order by id for update
  `;
}
