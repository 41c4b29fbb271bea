import type {Artifact, Image} from '@muster/proto/gen/muster/v1/images_pb.ts';

export type ImageFile = {readonly role: string; readonly artifact: Artifact};

/** In the order in which a machine loads them. */
export function imageFiles({kernel, initrds, layers}: Image): readonly ImageFile[] {
  return [
    ...(kernel ? [{role: 'Kernel', artifact: kernel}] : []),
    ...initrds.map((artifact, index) => ({role: numbered('Initrd', index, initrds), artifact})),
    ...layers.map((artifact, index) => ({role: numbered('Layer', index, layers), artifact})),
  ];
}

const numbered = (word: string, index: number, all: readonly unknown[]): string =>
  all.length === 1 ? word : `${word} ${index + 1}`;

/** What a machine fetches to boot it. */
export const imageBytes = (image: Image): bigint =>
  imageFiles(image).reduce((sum, {artifact}) => sum + artifact.sizeBytes, 0n);
