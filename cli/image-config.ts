import {readFileSync} from 'node:fs';
import process from 'node:process';
import {create, fromJsonString} from '@bufbuild/protobuf';
import {type ImageConfig, ImageConfigSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Context} from './context.ts';
import {CommandError, exitStatus} from './exit-status.ts';

/** `--package`, `--ssh-key` and `--image-config`, as commander gives them. */
export type ImageOptions = {
  readonly package?: readonly string[];
  readonly sshKey?: readonly string[];
  readonly imageConfig?: string;
};

/**
 * What the machine shall run by now, with packages or keys exchanged; a file says all of it anew. Undefined when the options change nothing of it.
 */
export async function changedImageConfig(
  {clients}: Context,
  machineName: string,
  options: ImageOptions,
): Promise<ImageConfig | undefined> {
  const {package: packages, sshKey: keys, imageConfig: file} = options;
  if (!packages && !keys) return file === undefined ? undefined : readImageConfig(file);

  const base =
    file === undefined
      ? (await clients.machines.getMachine({id: machineName})).machine?.imageConfig
      : readImageConfig(file);
  const changed = base ?? create(ImageConfigSchema);
  if (packages) changed.packages = [...packages];
  // "$(cat keys)" is one argument of several lines.
  if (keys) changed.sshAuthorizedKeys = keys.flatMap(key => key.split('\n')).filter(Boolean);
  return changed;
}

export function readImageConfig(file: string): ImageConfig {
  try {
    return fromJsonString(ImageConfigSchema, readText(file));
  } catch (error) {
    throw new CommandError(
      `Cannot use "${file}" as image configuration: ${error instanceof Error ? error.message : String(error)}`,
      exitStatus.usage,
    );
  }
}

/** A file's text; "-" is standard input. */
export const readText = (file: string): string =>
  readFileSync(file === '-' ? process.stdin.fd : file, 'utf8');
