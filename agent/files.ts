import * as fs from 'node:fs';
import {promisify} from 'node:util';

// The same as in node:fs/promises, which loads readline and more for its handles: 1 MiB of resident memory.
export const readFile = promisify(fs.readFile);
export const writeFile = promisify(fs.writeFile);
export const readdir = promisify(fs.readdir);
export const readlink = promisify(fs.readlink);
export const realpath = promisify(fs.realpath);
export const stat = promisify(fs.stat);

const openDescriptor = promisify(fs.open);
const closeDescriptor = promisify(fs.close);
const readInto = promisify(fs.read);
const writeFrom = promisify(fs.write);

export type File = Awaited<ReturnType<typeof open>>;

export async function open(path: string, flags: string | number) {
  const descriptor = await openDescriptor(path, flags);
  return {
    /** From where it stands; gives 0 bytes at the end. */
    read: (buffer: Buffer, offset: number, length: number) =>
      readInto(descriptor, buffer, offset, length, null),
    write: (buffer: Buffer) => writeFrom(descriptor, buffer),
    close: () => closeDescriptor(descriptor),
  };
}
