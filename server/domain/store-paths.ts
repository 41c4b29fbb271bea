import {DomainError} from '../errors.ts';
import {appendEvent} from '../store/events.ts';
import {holdArtifacts} from '../store/image-collection.ts';
import * as store from '../store/store-paths.ts';
import type {StorePath, StorePathKey} from '../store/store-paths.ts';
import type {Deps} from './deps.ts';
import {fingerprintOf, hashOf, type NarInfo, parseNarInfo, renderNarInfo} from './narinfo.ts';
import {isSignedBy, type NixCacheKey} from './nix-cache-key.ts';

const missingNamedMax = 5;

export type StorePaths = ReturnType<typeof createStorePaths>;

/** Systems of Nix that machines may fetch from their edge: what builders made, signed anew with the site's key. */
export function createStorePaths({
  sql,
  now,
  newId,
  hasArtifact,
  cacheKey,
}: Deps & {
  /** Whether the image store has this file whole. */
  readonly hasArtifact: (sha256: string, sizeBytes: number) => Promise<boolean>;
  readonly cacheKey: NixCacheKey;
}) {
  const signed = (info: NarInfo): string =>
    renderNarInfo({
      ...info,
      signatures: [...info.signatures, cacheKey.sign(fingerprintOf(info))],
    });

  return {
    publicKey: cacheKey.publicKey,

    /** In the order given. A builder that asks will name the others in a system soon: until then they are not collected. */
    async findMissing(hashes: readonly string[]): Promise<readonly string[]> {
      const known = await store.touchStorePaths(sql, hashes, now());
      const knownHashes = new Set(known.map(({hash}) => hash));
      return hashes.filter(hash => !knownHashes.has(hash));
    },

    /** All or none. Throws invalid_argument, and failed_precondition when an archive is not in the image store. */
    async publish(publicKey: string, narinfos: readonly string[]): Promise<void> {
      const infos = narinfos.map(text => check(text, publicKey));
      await sql.begin(async tx => {
        // What is in the image store now stays there until the path that names it is committed.
        await holdArtifacts(tx);
        for (const {storePath, fileSha256, fileSizeBytes} of infos)
          if (!(await hasArtifact(fileSha256, fileSizeBytes)))
            throw new DomainError(
              'failed_precondition',
              `Cannot publish "${storePath}": its archive (${fileSha256}, ${fileSizeBytes} bytes) is not in the image store; upload it first`,
            );
        const paths = infos.map(info => toStorePath(info, signed(info)));
        for (const path of paths.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)))
          await store.insertStorePath(tx, path, now());
      });
    },

    /** Throws failed_precondition when it has holes: a machine could not use it. */
    async publishSystem(
      actor: string,
      system: {readonly inputKey: string; readonly hashes: readonly string[]},
    ): Promise<void> {
      const {inputKey, hashes} = system;
      await sql.begin(async tx => {
        await holdArtifacts(tx);
        const missing = missingOf(hashes, await store.touchStorePaths(tx, hashes, now()));
        if (missing.length > 0)
          throw new DomainError(
            'failed_precondition',
            `Cannot publish the system of "${inputKey}": ${missing.length} of its paths are not there (${missing.slice(0, missingNamedMax).join(', ')}); publish them first`,
          );
        if (!(await store.putSystem(tx, system, now()))) return;
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'system.published',
          actor,
          data: {inputKey, storePathCount: hashes.length},
        });
      });
    },

    find: (key: StorePathKey): Promise<StorePath | undefined> => store.findStorePath(sql, key),
  };
}

function check(text: string, publicKey: string): NarInfo {
  const refused = (name: string, why: string) =>
    new DomainError('invalid_argument', `Cannot publish ${name}: ${why}`);
  let info: NarInfo;
  try {
    info = parseNarInfo(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refused('a store path', `its narinfo is not in order, ${why}`);
  }
  if (!isSignedBy(fingerprintOf(info), info.signatures, publicKey))
    throw refused(`"${info.storePath}"`, "the signature of its builder's cache does not fit");
  return info;
}

function toStorePath(info: NarInfo, narinfo: string): StorePath {
  const hash = hashOf(info.storePath);
  return {
    hash,
    narinfo,
    referenceHashes: info.references.map(hashOf).filter(reference => reference !== hash),
    narSha256: info.fileSha256,
    narSizeBytes: info.fileSizeBytes,
  };
}

/** What of these, or of what they refer to, is not among those that are known. */
export function missingOf(
  hashes: readonly string[],
  known: readonly Pick<StorePath, 'hash' | 'referenceHashes'>[],
): readonly string[] {
  const knownHashes = new Set(known.map(({hash}) => hash));
  const needed = new Set([...hashes, ...known.flatMap(({referenceHashes}) => referenceHashes)]);
  return [...needed].filter(hash => !knownHashes.has(hash));
}
