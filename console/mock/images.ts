import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  BootTest_Firmware,
  Image_Kind,
  Image_Variant,
  ImageService,
} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

export const imageId = 'ab12'.repeat(16);

/** One image of a machine; a collection with a dry run of exactly one image. */
export const addImages: MockNoun = router => {
  const image = {
    id: imageId,
    kind: Image_Kind.MACHINE,
    variant: Image_Variant.FULL,
    backend: 'debian',
    inputKey: 'key-of-inputs',
    kernel: {name: 'vmlinuz', sha256: 'c'.repeat(64), sizeBytes: 12_000_000n},
    initrds: [{name: 'initrd.zst', sha256: 'd'.repeat(64), sizeBytes: 40_000_000n}],
    layers: [{name: 'base.squashfs', sha256: 'e'.repeat(64), sizeBytes: 200_000_000n}],
    commandLine: 'console=ttyS0 panic=30',
    memoryRequiredBytes: 1n << 30n,
    bootTests: [{firmware: BootTest_Firmware.UEFI, passed: true, durationMs: 14_000}],
    createTime: timestampFromMs(Date.UTC(2026, 5, 1)),
  };
  router.service(ImageService, {
    listImages: ({kind}) => ({images: kind === Image_Kind.RESCUE ? [] : [image]}),
    getImage({id}) {
      if (id !== imageId) throw new ConnectError(`Cannot find image "${id}"`, Code.NotFound);
      return {image};
    },
    collectImages: ({dryRun}) => ({
      imageIds: ['f'.repeat(64)],
      fileCount: 3,
      freedBytes: dryRun ? 1_073_741_824n : 536_870_912n,
    }),
  });
};
