import type {Sql} from './db.ts';
import type {Image} from './images.ts';
import {inScope} from './operations.ts';
import {machineInScope, seesEverything} from './scope.ts';

/** On `images`: those that every machine may boot, those of the caller's machines, and what was built for them. */
export const imageInScope = (sql: Sql) =>
  seesEverything()
    ? sql`true`
    : sql`(
        images.kind in ('registration', 'rescue')
        or images.id in (
          select unnest(array[
            desired_image_id, booted_image_id, last_good_image_id, override_image_id, entry_image_id
          ] || bad_image_ids) from machines where ${machineInScope(sql)}
        )
        or images.id in (
          select image_id from builds join operations using (id) where ${inScope(sql)}
        )
      )`;

/** An image may have been built, and tested, for machines of others first: who they are is left out. */
export async function masked(sql: Sql, images: readonly Image[]): Promise<readonly Image[]> {
  if (seesEverything() || images.length === 0) return images;
  const buildIds = images.flatMap(({buildId}) => buildId ?? []);
  const testedIds = images.flatMap(({bootTests}) =>
    bootTests.flatMap(({reusedFromImageId}) => reusedFromImageId ?? []),
  );
  const builds = await sql<{id: string}[]>`
    select id from operations where id = any(${buildIds}::text[]::uuid[]) and ${inScope(sql)}
  `;
  const tested = await sql<{id: string}[]>`
    select id from images where id = any(${testedIds}::text[]) and ${imageInScope(sql)}
  `;
  const known = new Set([...builds, ...tested].map(({id}) => id));
  const shown = (id: string | undefined) => (id !== undefined && known.has(id) ? id : undefined);
  return images.map(image => ({
    ...image,
    buildId: shown(image.buildId),
    bootTests: image.bootTests.map(test => ({
      ...test,
      reusedFromImageId: shown(test.reusedFromImageId),
    })),
  }));
}
