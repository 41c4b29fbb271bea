import {
  BootTest_Firmware as Firmware,
  Image_Kind as Kind,
  Image_Variant as Variant,
} from '@muster/proto/gen/muster/v1/images_pb.ts';

const kindWords: Readonly<Record<number, string>> = {
  [Kind.REGISTRATION]: 'Registration',
  [Kind.MACHINE]: 'Machine',
  [Kind.RESCUE]: 'Rescue',
  [Kind.UPLOADED]: 'Uploaded',
};
export const imageKindWord = (kind: number): string => kindWords[kind] ?? 'Unknown kind';

const variantWords: Readonly<Record<number, string>> = {
  [Variant.FULL]: 'any hardware',
  [Variant.VIRTUAL]: 'virtual machines',
};
export const imageVariantWord = (variant: number): string => variantWords[variant] ?? '';

/** Digests are long: their beginning tells images apart. */
export const shortImageId = (id: string): string => id.slice(0, 12);

export const firmwareWord = (firmware: number): string =>
  ({[Firmware.BIOS]: 'BIOS', [Firmware.UEFI]: 'UEFI'})[firmware] ?? 'Firmware';
