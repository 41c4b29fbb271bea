import {basename, join, relative} from 'node:path';
import {open, readdir, readlink, realpath, stat} from '../files.ts';

const fileBytesMax = 4 * 1024 * 1024;

/**
 * The files of a machine below one root, which is "/" or a fixture. What cannot be read is undefined or empty: a file of /sys may vanish
 * or give EIO at any time, and that is no fault of the machine.
 */
export type Tree = {
  readonly root: string;
  path(path: string): string;
  bytes(path: string): Promise<Buffer | undefined>;
  /** Without blanks and NULs at its ends; undefined also when nothing is left. */
  text(path: string): Promise<string | undefined>;
  /** Undefined when the file holds no whole number from 0 on. */
  count(path: string): Promise<number | undefined>;
  /** Sorted. */
  names(path: string): Promise<readonly string[]>;
  exists(path: string): Promise<boolean>;
  /** The last part of a link's target: the name of a driver, a subsystem. */
  linkName(path: string): Promise<string | undefined>;
  /** Where a path leads, with the root cut off: "/sys/devices/pci0000:00/…". */
  resolve(path: string): Promise<string | undefined>;
};

export function openTree(root: string): Tree {
  const at = (path: string) => join(root, path);
  const bytes = (path: string) => readBounded(at(path)).catch(() => undefined);
  const text = async (path: string) => {
    const content = await bytes(path);
    return content === undefined ? undefined : cleanText(content.toString('utf8'));
  };
  return {
    root,
    path: at,
    bytes,
    text,
    async count(path) {
      const value = await text(path);
      return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
    },
    names: async path => (await readdir(at(path)).catch(() => [])).sort(byCodeUnits),
    exists: path =>
      stat(at(path)).then(
        () => true,
        () => false,
      ),
    async linkName(path) {
      const target = await readlink(at(path)).catch(() => undefined);
      return target === undefined ? undefined : basename(target);
    },
    async resolve(path) {
      const [target, base] = await Promise.all([
        realpath(at(path)).catch(() => undefined),
        realpath(root).catch(() => root),
      ]);
      return target === undefined ? undefined : `/${relative(base, target)}`;
    },
  };
}

/** The same order on every machine, whatever its locale. */
const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : 1);

const textLengthMax = 256;

/** Printable text of at most 256 characters; undefined when nothing is left. */
export function cleanText(text: string | undefined): string | undefined {
  // Firmware pads with blanks, NULs and 0xFF, and wire formats refuse control characters.
  const clean = text
    ?.replaceAll(/[\p{Cc}\p{Cs}\uFFFD]+/gu, ' ')
    .trim()
    .slice(0, textLengthMax);
  return clean === '' ? undefined : clean;
}

/** Files of /proc and /sys say a size of 0 or 4096 whatever they hold, so this reads until their end. */
async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let length = 0; length < fileBytesMax;) {
      const chunk = Buffer.alloc(64 * 1024);
      const {bytesRead} = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) break;
      chunks.push(chunk.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(chunks).subarray(0, fileBytesMax);
  } finally {
    await file.close();
  }
}
