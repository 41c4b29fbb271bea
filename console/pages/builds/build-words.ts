import type {Build} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Diagnostic_Kind as Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  type Operation,
  Operation_State as State,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {dateOf} from '../../ui/format.ts';
import {imageVariantWord} from '../images/image-words.ts';

/** What builders call their steps (builder/backends/…), in words. */
const stepWords: Readonly<Record<string, string>> = {
  resolve: 'Resolve packages',
  base: 'Base system',
  kernel: 'Kernel and initrd',
  layers: 'Layers',
  evaluate: 'Evaluate the configuration',
  fetch: 'Fetch from caches',
  build: 'Build what no cache has',
  'boot-test-bios': 'Boot test, BIOS',
  'boot-test-uefi': 'Boot test, UEFI',
  upload: 'Upload to the image store',
};
export const stepWord = (name: string): string =>
  stepWords[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll(/[-_]/g, ' ');

export const isRegistration = ({kind}: Pick<Build, 'kind'>): boolean =>
  kind === Image_Kind.REGISTRATION;

/** Of a build without a machine. */
export const registrationTitle = ({variant}: Pick<Build, 'variant'>): string =>
  `Registration image for ${imageVariantWord(variant) || 'machines'}`;

const live: readonly State[] = [State.QUEUED, State.RUNNING];
export const isLive = (operation: Pick<Operation, 'state'> | undefined): boolean =>
  operation !== undefined && live.includes(operation.state);

/** From its start, or from when it was asked for, until its end or now. */
export function durationMs(
  {startTime, endTime}: Pick<Operation, 'startTime' | 'endTime'>,
  now: Date,
): number | undefined {
  const start = dateOf(startTime);
  return start && Math.max(0, (dateOf(endTime) ?? now).getTime() - start.getTime());
}

const diagnosticWords: Readonly<Record<number, string>> = {
  [Kind.SYNTAX]: 'Syntax',
  [Kind.UNDEFINED_VARIABLE]: 'Undefined variable',
  [Kind.UNKNOWN_OPTION]: 'Unknown option',
  [Kind.TYPE]: 'Wrong type',
  [Kind.CONFLICT]: 'Conflict',
  [Kind.ASSERTION]: 'Assertion',
  [Kind.INFINITE_RECURSION]: 'Infinite recursion',
  [Kind.MISSING_ATTRIBUTE]: 'Missing attribute',
  [Kind.THROWN]: 'Refused by a module',
  [Kind.FILE_ACCESS]: 'File access',
  [Kind.NETWORK_ACCESS]: 'Network access',
  [Kind.IMPORT_FROM_DERIVATION]: 'Import from derivation',
  [Kind.MEMORY_LIMIT]: 'Memory limit',
  [Kind.TIME_LIMIT]: 'Time limit',
  [Kind.SECRET]: 'Secret in the configuration',
  [Kind.SIZE]: 'Too large',
  [Kind.BUILD]: 'Does not build',
  [Kind.FETCH]: 'Cannot be fetched',
  [Kind.OTHER]: 'Nix',
  [Kind.TEMPLATE]: 'Template',
};
export const diagnosticWord = (kind: number): string => diagnosticWords[kind] ?? 'Problem';
