import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/image-collection.ts';
import type {ImageOutline} from '../store/image-collection.ts';
import {deleteUnneededStorePaths, listNeededArchives} from '../store/store-paths.ts';
import type {BlobStore} from './blobs.ts';
import type {Deps} from './deps.ts';

const hourMs = 3_600_000;
const minimumAgeDefaultHours = 24;
/** The oldest ones; another call takes the next. */
const imagesPerCallMax = 1000;

export type Collected = {
  readonly imageIds: readonly string[];
  readonly fileCount: number;
  readonly freedBytes: number;
};

export type ImageCollection = ReturnType<typeof createImageCollection>;

/** Removes what no machine and no build has a use for. */
export function createImageCollection({
  sql,
  now,
  newId,
  blobs,
}: Deps & {readonly blobs: BlobStore}) {
  /** Two looks: the second one after everybody who was about to name one of them has committed. */
  async function choose(tx: Sql, before: Date): Promise<readonly string[]> {
    const look = async () =>
      imagesToCollect(await store.listImageOutlines(tx), await store.listUsedImageIds(tx), before);
    const candidates = (await look()).slice(0, imagesPerCallMax);
    await store.lockImages(tx, candidates);
    const unused = new Set(await look());
    return candidates.filter(id => unused.has(id));
  }

  /** Files that no image names, but the young ones: an upload that is not finished as an image yet. */
  async function listFiles(named: ReadonlySet<string>, before: Date) {
    const files: {readonly sha256: string; readonly sizeBytes: number}[] = [];
    for await (const {sha256, sizeBytes, useTime} of blobs.list())
      if (!named.has(sha256) && useTime < before) files.push({sha256, sizeBytes});
    return files;
  }

  async function removeImages(actor: string, before: Date): Promise<readonly string[]> {
    return sql.begin(async tx => {
      await store.lockArtifacts(tx);
      const imageIds = await choose(tx, before);
      if (imageIds.length === 0) return imageIds;
      await store.deleteImages(tx, imageIds);
      const data = {imageIds, before: before.toISOString()};
      await appendEvent(tx, {id: newId(), time: now(), type: 'image.collected', actor, data});
      return imageIds;
    });
  }

  /** Store paths that only images needed which are gone. */
  async function removeStorePaths(actor: string, before: Date): Promise<void> {
    await sql.begin(async tx => {
      await store.lockArtifacts(tx);
      const storePathCount = await deleteUnneededStorePaths(tx, before);
      if (storePathCount === 0) return;
      const data = {storePathCount};
      await appendEvent(tx, {
        id: newId(),
        time: now(),
        type: 'store_paths.collected',
        actor,
        data,
      });
    });
  }

  /** Files that images or store paths name, once these images are gone. */
  async function listNamed(tx: Sql, before: Date, exceptImageIds: readonly string[] = []) {
    const archives = await listNeededArchives(tx, {exceptImageIds, before});
    return archives.union(await store.listNamedDigests(tx, exceptImageIds));
  }

  /** After the removal of the images is committed: a crash in between leaves files for the next time, never an image without its files. */
  async function removeFiles(actor: string, before: Date): Promise<Omit<Collected, 'imageIds'>> {
    return sql.begin(async tx => {
      await store.lockArtifacts(tx);
      const files = await listFiles(await listNamed(tx, before), before);
      const removed: typeof files = [];
      for (const file of files)
        if (await blobs.removeUnused(file.sha256, before)) removed.push(file);
      const result = {fileCount: removed.length, freedBytes: sum(removed)};
      if (removed.length > 0)
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'image.files_removed',
          actor,
          data: result,
        });
      return result;
    });
  }

  return {
    /** `minimumAgeHours` 0 is a day. */
    async collect(
      actor: string,
      {minimumAgeHours, dryRun}: {readonly minimumAgeHours: number; readonly dryRun: boolean},
    ): Promise<Collected> {
      const ageMs = (minimumAgeHours || minimumAgeDefaultHours) * hourMs;
      const before = new Date(now().getTime() - ageMs);
      if (!dryRun) {
        const imageIds = await removeImages(actor, before);
        await removeStorePaths(actor, before);
        return {imageIds, ...(await removeFiles(actor, before))};
      }
      const images = await store.listImageOutlines(sql);
      const unused = imagesToCollect(images, await store.listUsedImageIds(sql), before);
      const imageIds = unused.slice(0, imagesPerCallMax);
      const files = await listFiles(await listNamed(sql, before, imageIds), before);
      return {imageIds, fileCount: files.length, freedBytes: sum(files)};
    },
  };
}

/**
 * Oldest first. An image stays while something names it, while it is younger than `before`, and while it is the newest registration image of its
 * variant: machines that nobody knows yet boot that one.
 */
export function imagesToCollect(
  images: readonly ImageOutline[],
  used: ReadonlySet<string>,
  before: Date,
): readonly string[] {
  const current = new Set(
    (['full', 'virtual'] as const).flatMap(variant => {
      const of = images.filter(image => image.kind === 'registration' && image.variant === variant);
      return of.toSorted(newestFirst).slice(0, 1);
    }),
  );
  return images
    .filter(image => image.createTime < before && !used.has(image.id) && !current.has(image))
    .toSorted((a, b) => newestFirst(b, a))
    .map(({id}) => id);
}

/** As `latestRegistrationImage` orders them. */
function newestFirst(a: ImageOutline, b: ImageOutline): number {
  const byTime = b.createTime.getTime() - a.createTime.getTime();
  return byTime === 0 ? (a.id < b.id ? 1 : -1) : byTime;
}

const sum = (files: readonly {readonly sizeBytes: number}[]): number =>
  files.reduce((bytes, {sizeBytes}) => bytes + sizeBytes, 0);
