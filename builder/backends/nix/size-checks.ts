import {Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {DiagnosticInit} from '../configuration-error.ts';

const megabyte = 1024 * 1024;

/** NixOS/nixpkgs#203593: a squashfs above it is malformed in the ramdisk; boot loaders give up as well. */
export const initrdBytesMax = 2048 * megabyte;

export type ImageSizes = {
  readonly initrdBytes: number;
  readonly squashfsBytes: number;
  /** Of the machine; 0 when it is not known. */
  readonly memoryBytes: number;
};

/** Whether a machine can carry the image: it lives in memory as a whole. */
export function checkSizes(sizes: ImageSizes): {
  readonly problems: readonly DiagnosticInit[];
  readonly warnings: readonly string[];
} {
  const {initrdBytes, squashfsBytes, memoryBytes} = sizes;
  const problems: string[] = [];
  const warnings: string[] = [];
  const initrd = `The image's ramdisk has ${inMegabytes(initrdBytes)}`;

  // NixOS/nixpkgs#399607: a system that is too large for a cpio archive is left out of it without a word.
  if (initrdBytes < squashfsBytes)
    problems.push(
      `${initrd}, less than the system that should be inside (${inMegabytes(squashfsBytes)}): it does not hold the whole system. Make the system smaller`,
    );
  if (initrdBytes > initrdBytesMax || squashfsBytes > initrdBytesMax)
    problems.push(
      `${initrd}, and more than ${inMegabytes(initrdBytesMax)} do not boot: leave packages out`,
    );
  if (memoryBytes > 0) {
    const required = memoryRequired(sizes);
    if (required > memoryBytes)
      problems.push(
        `${initrd} and needs ${inMegabytes(required)} of memory to boot, the machine has ${inMegabytes(memoryBytes)}: leave packages out`,
      );
    else if (initrdBytes > memoryBytes / 3)
      warnings.push(
        `${initrd}, more than a third of the machine's memory (${inMegabytes(memoryBytes)}): little is left for what it shall run`,
      );
  }
  return {
    problems: problems.map(message => ({kind: Diagnostic_Kind.SIZE, message})),
    warnings,
  };
}

const systemBytes = 640 * megabyte;
const stepBytes = 64 * megabyte;

/**
 * The ramdisk lies in memory twice while it is unpacked, and the root file system may take half of the memory only. In steps of 64 MiB.
 */
export const memoryRequired = ({
  initrdBytes,
  squashfsBytes,
}: Omit<ImageSizes, 'memoryBytes'>): number =>
  Math.ceil((systemBytes + initrdBytes + Math.max(initrdBytes, squashfsBytes)) / stepBytes) *
  stepBytes;

const inMegabytes = (bytes: number): string => `${Math.ceil(bytes / megabyte)} MiB`;
