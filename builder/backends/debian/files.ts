import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {sha256OfText} from '../../digests.ts';
import type {TreeEntry} from '../../cpio.ts';

const directory = path.join(import.meta.dirname, 'files');

/** A script or unit of ours that goes into images as it is. */
export type ImageFile =
  | 'init.sh'
  | 'registration-init.sh'
  | 'machine-init.sh'
  | 'network.sh'
  | 'udhcpc.sh'
  | 'muster-agent.service'
  | 'all.network'
  | 'watchdog.conf'
  | 'wait-online.conf'
  | 'ssh-host-keys.conf';

export const readImageFile = (name: ImageFile): Promise<Buffer> =>
  readFile(path.join(directory, name));

export async function imageFileEntry(name: ImageFile, mode: number): Promise<TreeEntry> {
  return {type: 'file', mode, content: await readImageFile(name)};
}

/** For input keys: another script is another image. */
export const digestImageFiles = (names: readonly ImageFile[]): Promise<string[]> =>
  Promise.all(names.map(async name => sha256OfText(await readImageFile(name))));
