import type {Database, Sql} from '../store/db.ts';
import {findImageByInputKey, findImagesToBoot, listRegistrationImageIds} from '../store/images.ts';

export type BootArtifact = {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
};

/** What booting needs to know of an image. */
export type BootImage = {
  /** SHA-256, hexadecimal. */
  readonly id: string;
  readonly kind: 'registration' | 'machine' | 'rescue' | 'uploaded';
  readonly variant: 'full' | 'virtual' | undefined;
  readonly backend: string;
  readonly inputKey: string;
  readonly kernel: BootArtifact;
  readonly initrds: readonly BootArtifact[];
  readonly layers: readonly BootArtifact[];
  readonly commandLine: string;
  readonly memoryRequiredBytes: number;
};

/** The newest ones; undefined while none is built. */
export type RegistrationImages = {
  readonly full: string | undefined;
  readonly virtual: string | undefined;
};

/**
 * The images, as booting asks for them. They are immutable, so an answer may be kept. Within a transaction its `tx` is handed in: as many
 * transactions as there are connections would wait for one more for ever.
 */
export type BootImages = {
  /** Those that exist; at most 1000 ids a call. */
  find(ids: readonly string[], tx?: Sql): Promise<readonly BootImage[]>;
  findRegistration(): Promise<RegistrationImages>;
  findByInputKey(inputKey: string, tx: Sql): Promise<BootImage | undefined>;
};

export function createBootImages(sql: Database): BootImages {
  return {
    find: (ids, tx = sql) => findImagesToBoot(tx, ids),
    async findRegistration() {
      const ids = await listRegistrationImageIds(sql);
      return {full: ids.get('full'), virtual: ids.get('virtual')};
    },
    findByInputKey: async (inputKey, tx) =>
      inputKey === '' ? undefined : findImageByInputKey(tx, inputKey),
  };
}

/** Every file that a machine fetches to boot it. */
export function artifactsOf(image: BootImage): readonly BootArtifact[] {
  return [image.kernel, ...image.initrds, ...image.layers];
}
