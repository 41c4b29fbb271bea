import {createHash} from 'node:crypto';
import {readdir, readFile, stat} from 'node:fs/promises';
import {extname, join, relative, sep} from 'node:path';

/** Of the whole console, compressed copies included: it is kept in memory. */
const consoleBytesMax = 64 * 1024 * 1024;
const consoleFilesMax = 4096;

export type Encoding = 'identity' | 'br' | 'gzip';

export type ConsoleFile = {
  readonly type: string;
  /** Its name holds a digest of its content. */
  readonly immutable: boolean;
  readonly forms: ReadonlyMap<Encoding, {readonly body: Buffer; readonly etag: string}>;
};

/** By the path at which they are served. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

const endings: Readonly<Record<Encoding, string>> = {identity: '', br: '.br', gzip: '.gz'};

/**
 * Reads the built console whole, so that what is served is one build and no path of a request ever reaches the file system. Hidden files and links
 * are left out. Undefined when there is none. Throws when it is too large to be one.
 */
export async function readConsole(folder: string): Promise<ConsoleFiles | undefined> {
  const contents = await readContents(folder);
  if (!contents.has('/index.html')) return undefined;

  const files = new Map<string, ConsoleFile>();
  for (const path of contents.keys()) {
    if (isCompressedCopy(path, contents)) continue;
    const forms = new Map<Encoding, {body: Buffer; etag: string}>();
    for (const [encoding, ending] of Object.entries(endings) as [Encoding, string][]) {
      const body = contents.get(path + ending);
      if (body) forms.set(encoding, {body, etag: etagOf(body)});
    }
    const type = types[extname(path)] ?? 'application/octet-stream';
    files.set(path, {type, immutable: path.startsWith('/assets/'), forms});
  }
  return files;
}

async function readContents(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  let bytes = 0;
  for (const path of await listFiles(folder)) {
    bytes += (await stat(join(folder, path))).size;
    if (bytes > consoleBytesMax || contents.size >= consoleFilesMax)
      throw new Error(
        `Cannot serve the console from "${folder}": it has more than ${consoleFilesMax} files or ${consoleBytesMax} bytes; set CONSOLE_DIR to the folder that "npm run bundle" writes`,
      );
    contents.set(`/${path}`, await readFile(join(folder, path)));
  }
  return contents;
}

/** Relative, with slashes. A folder that is not there has none. */
async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, {recursive: true, withFileTypes: true});
    return entries
      .filter(entry => entry.isFile())
      .map(({parentPath, name}) => relative(folder, join(parentPath, name)).split(sep))
      .filter(segments => segments.every(segment => !segment.startsWith('.')))
      .map(segments => segments.join('/'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

const isCompressedCopy = (path: string, contents: ReadonlyMap<string, Buffer>): boolean =>
  [endings.br, endings.gzip].some(
    ending => path.endsWith(ending) && contents.has(path.slice(0, -ending.length)),
  );

const etagOf = (body: Buffer): string =>
  `"${createHash('sha256').update(body).digest('base64url')}"`;
