import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Artifact as ArtifactMessage,
  type BootTest as BootTestMessage,
  BootTest_Firmware,
  BootTestSchema,
  type Image as ImageMessage,
  Image_Kind,
  Image_Variant,
  ImageSchema,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {DomainError} from '../errors.ts';
import type {NewImage} from '../domain/build-work.ts';
import type {BootTest, Firmware} from '../store/boot-tests.ts';
import type {Artifact, Image, ImageKind, ImageVariant} from '../store/images.ts';
import {required} from './required.ts';

export const imageKinds: Readonly<Record<ImageKind, Image_Kind>> = {
  registration: Image_Kind.REGISTRATION,
  machine: Image_Kind.MACHINE,
  rescue: Image_Kind.RESCUE,
  uploaded: Image_Kind.UPLOADED,
};

export const imageVariants: Readonly<Record<ImageVariant, Image_Variant>> = {
  full: Image_Variant.FULL,
  virtual: Image_Variant.VIRTUAL,
};

export const firmwares: Readonly<Record<Firmware, BootTest_Firmware>> = {
  bios: BootTest_Firmware.BIOS,
  uefi: BootTest_Firmware.UEFI,
};

/** Undefined when unspecified; throws invalid_argument for a number that the contract does not have. */
export function fromEnum<Name extends string, Value extends number>(
  names: Readonly<Record<Name, Value>>,
  value: number,
  what: string,
): Name | undefined {
  if (value === 0) return undefined;
  const known = (Object.keys(names) as Name[]).find(name => names[name] === value);
  if (!known)
    throw new DomainError('invalid_argument', `Cannot read ${what} "${value}": it is unknown`);
  return known;
}

export function requireEnum<Name extends string, Value extends number>(
  names: Readonly<Record<Name, Value>>,
  value: number,
  what: string,
): Name {
  return required(fromEnum(names, value, what), what);
}

export function toImageMessage(image: Image): ImageMessage {
  const {kernel, initrds, layers, bootTests, buildId, createTime, ...same} = image;
  return create(ImageSchema, {
    ...same,
    kind: imageKinds[image.kind],
    variant: imageVariants[image.variant],
    kernel: toArtifactInit(kernel),
    initrds: initrds.map(toArtifactInit),
    layers: layers.map(toArtifactInit),
    memoryRequiredBytes: BigInt(image.memoryRequiredBytes),
    bootTests: bootTests.map(toBootTestMessage),
    buildId: buildId ?? '',
    createTime: timestampFromDate(createTime),
  });
}

/** As a builder hands it in; id, build and time are the server's. */
export function fromImageMessage(message: ImageMessage): NewImage {
  if (!message.kernel)
    throw new DomainError('invalid_argument', 'Cannot read an image without a kernel');
  return {
    kind: requireEnum(imageKinds, message.kind, 'image.kind'),
    variant: requireEnum(imageVariants, message.variant, 'image.variant'),
    backend: message.backend,
    inputKey: message.inputKey,
    kernel: fromArtifact(message.kernel),
    initrds: message.initrds.map(fromArtifact),
    layers: message.layers.map(fromArtifact),
    commandLine: message.commandLine,
    memoryRequiredBytes: toSafeNumber(message.memoryRequiredBytes, 'memory_required_bytes'),
    bootTests: message.bootTests.map(fromBootTestMessage),
  };
}

export function toBootTestMessage(test: BootTest): BootTestMessage {
  return create(BootTestSchema, {
    ...test,
    firmware: firmwares[test.firmware],
    reusedFromImageId: test.reusedFromImageId ?? '',
  });
}

export function fromBootTestMessage(message: BootTestMessage): BootTest {
  const {passed, durationMs, reusedFromImageId} = message;
  return {
    firmware: requireEnum(firmwares, message.firmware, 'boot_test.firmware'),
    passed,
    durationMs: Math.min(durationMs, 2 ** 31 - 1),
    // PostgreSQL has no text with a zero character; a serial console may send one.
    consoleTail: message.consoleTail.replaceAll('\0', '\uFFFD'),
    failure: message.failure.replaceAll('\0', '\uFFFD'),
    reusedFromImageId: reusedFromImageId || undefined,
  };
}

export const toArtifactInit = ({name, sha256, sizeBytes}: Artifact) => ({
  name,
  sha256,
  sizeBytes: BigInt(sizeBytes),
});

export const fromArtifact = ({name, sha256, sizeBytes}: ArtifactMessage): Artifact => ({
  name,
  sha256,
  sizeBytes: toSafeNumber(sizeBytes, `the size of "${name}"`),
});

function toSafeNumber(value: bigint, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new DomainError('invalid_argument', `Cannot read ${what}: "${value}" is too large`);
  return number;
}
