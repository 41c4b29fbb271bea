import {readFile} from 'node:fs/promises';
import path from 'node:path';
import type {Logger} from '@muster/runtime/log.ts';

/** File in the folder of loaders, by the names that firmware and DHCP servers ask for. */
const files: Readonly<Record<string, string>> = {
  'snponly.efi': 'snponly.efi',
  'snp.efi': 'snponly.efi',
  'undionly.kpxe': 'undionly.kpxe',
  'ipxe.efi': 'ipxe.efi',
};

export type Loader = {readonly name: string; readonly content: Buffer};

export type Loaders = Awaited<ReturnType<typeof readLoaders>>;

/** The boot loaders, in memory (1.1 MB). A missing one is named in the log and answered as not found. */
export async function readLoaders(directory: string, log: Logger) {
  const contents = new Map<string, Buffer>();
  for (const file of new Set(Object.values(files))) {
    const full = path.join(directory, file);
    try {
      contents.set(file, await readFile(full));
    } catch (error) {
      log.warn({err: error, file: full}, 'boot loader missing (Debian package "ipxe")');
    }
  }

  return {
    complete: contents.size === new Set(Object.values(files)).size,

    /**
     * By the name as asked for: any case, any folder in front (DHCP servers put one), either slash. A name that climbs is refused.
     */
    find(asked: string): Loader | 'refused' | undefined {
      const parts = asked.replaceAll('\\', '/').split('/');
      if (parts.includes('..') || !/^[\x20-\x7e]{1,255}$/.test(asked)) return 'refused';
      const name = (parts.at(-1) ?? '').toLowerCase();
      const file = Object.hasOwn(files, name) ? files[name] : undefined;
      const content = file === undefined ? undefined : contents.get(file);
      return content && {name, content};
    },
  };
}
