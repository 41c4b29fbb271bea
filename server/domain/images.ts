import {createHash} from 'node:crypto';
import {DomainError} from '../errors.ts';
import {insertBootTestResult, listBootTestResults} from '../store/boot-tests.ts';
import type {BootTest} from '../store/boot-tests.ts';
import type {Database, Sql} from '../store/db.ts';
import {holdImage, lockLiveBuildsOf, noteFoundImage} from '../store/image-collection.ts';
import {
  type Artifact,
  findImageByInputKey,
  findImages,
  type Image,
  type ImageKind,
  type ImageManifest,
  listImages,
} from '../store/images.ts';
import {badPageToken} from './ids.ts';

const pageSizeDefault = 50;

/** SHA-256, in hexadecimal, of the canonical JSON of kernel, initrds, layers (name and digest each) and command line. */
export function imageId({kernel, initrds, layers, commandLine}: ImageManifest): string {
  const part = ({name, sha256}: Artifact) => [name, sha256];
  const parts = [part(kernel), initrds.map(part), layers.map(part), commandLine];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Names what a boot test is about: artifacts by content, whatever their order, and the command line but for the layers that it names. */
export function bootTestKey(digests: readonly string[], commandLine: string): string {
  const words = commandLine.split(' ').filter(word => !word.startsWith('muster.layers='));
  return createHash('sha256')
    .update([...[...digests].sort(), words.join(' ')].join('\n'))
    .digest('hex');
}

/**
 * What a passed test of an image proves: that its parts boot, and that they boot without the layers above any of them. Whoever asks leaves
 * out only layers that cannot keep a machine from booting (host name, keys).
 */
export function testedSets({
  kernel,
  initrds,
  layers,
}: ImageManifest): readonly (readonly string[])[] {
  const base = [kernel, ...initrds].map(artifact => artifact.sha256);
  if (layers.length === 0) return [base];
  return layers.map((_, index) => [
    ...base,
    ...layers.slice(0, index + 1).map(artifact => artifact.sha256),
  ]);
}

/** In the transaction that adds the image. */
export async function keepBootTestResults(tx: Sql, image: Image): Promise<void> {
  for (const {firmware, durationMs, passed, reusedFromImageId} of image.bootTests) {
    if (!passed || reusedFromImageId !== undefined) continue;
    for (const digests of testedSets(image)) {
      await insertBootTestResult(tx, {
        artifactsKey: bootTestKey(digests, image.commandLine),
        firmware,
        durationMs,
        imageId: image.id,
      });
    }
  }
}

export type Images = ReturnType<typeof createImages>;

export function createImages({sql}: {readonly sql: Database}) {
  return {
    /** Throws not_found. */
    async get(id: string): Promise<Image> {
      const [image] = await findImages(sql, [id]);
      if (!image) throw new DomainError('not_found', `Cannot find image "${id}"`);
      return image;
    },

    /** For one of the builder's builds, which is about to end with it: it is not collected in between. */
    findForBuild: (builderId: string, inputKey: string): Promise<Image | undefined> =>
      sql.begin(async tx => {
        await lockLiveBuildsOf(tx, builderId);
        const image = await findImageByInputKey(tx, inputKey);
        if (!image || !(await holdImage(tx, image.id))) return undefined;
        await noteFoundImage(tx, {builderId, imageId: image.id});
        return image;
      }),

    /** Passed tests of exactly these parts, taken over from the image that had them. */
    async findBootTests(
      digests: readonly string[],
      commandLine: string,
    ): Promise<readonly BootTest[]> {
      const results = await listBootTestResults(sql, bootTestKey(digests, commandLine));
      return results.map(({firmware, durationMs, imageId}) => ({
        firmware,
        durationMs,
        passed: true,
        consoleTail: '',
        failure: '',
        reusedFromImageId: imageId,
      }));
    },

    /** Newest first. `pageSize` 0 is 50; a token is the id of the last image of the page before. */
    async list(page: {
      readonly kind: ImageKind | undefined;
      readonly pageSize: number;
      readonly pageToken: string;
    }) {
      const {kind, pageToken} = page;
      const limit = page.pageSize || pageSizeDefault;
      if (!/^([0-9a-f]{64})?$/.test(pageToken)) throw badPageToken(pageToken);
      const images = await listImages(sql, {
        kind,
        before: pageToken || undefined,
        limit: limit + 1,
      });
      const nextPageToken = images.length > limit ? (images[limit - 1]?.id ?? '') : '';
      return {images: images.slice(0, limit), nextPageToken};
    },
  };
}
