import {createHash} from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import process from 'node:process';
import {brotliCompressSync, constants, gzipSync} from 'node:zlib';
import type {Rolldown} from 'vite';

const target = 'console/dist';
const stampFile = '.inputs-sha256';

/** What a browser has to have before it shows anything: the entry and all that it imports statically, compressed. */
const initialGzipBytesMax = 250 * 1024;
/** Loaded when an editor or a terminal is opened, never before. */
const lateOnly = /\/node_modules\/(@codemirror|@lezer|@xterm)\//;
const compressible = /\.(js|css|html|svg)$/;
const attemptsMax = 5;

/** Builds console/dist, unless it was made of these very sources. Says what the browser has to load. */
export async function bundleConsole(): Promise<void> {
  const stamp = inputsDigest();
  const stampPath = join(target, stampFile);
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) {
    console.log(`${target}: unchanged`);
    return;
  }

  // "up" and tests bundle at the same time: what is there is always whole.
  const draft = join('dist', `.console-${process.pid}`);
  const output = await build(draft);
  checkInitial(output);
  compress(draft);
  writeFileSync(join(draft, stampFile), stamp);
  replace(draft);
}

async function build(draft: string): Promise<readonly Chunk[]> {
  const vite = await import('vite');
  const result = await vite.build({
    configFile: 'console/vite.config.ts',
    logLevel: 'warn',
    build: {outDir: join(process.cwd(), draft)},
  });
  if (Array.isArray(result) || !('output' in result))
    throw new Error('Cannot bundle the console: Vite gave no single output');
  return result.output.filter(file => file.type === 'chunk');
}

type Chunk = Rolldown.OutputChunk;

function checkInitial(chunks: readonly Chunk[]): void {
  const byName = new Map(chunks.map(chunk => [chunk.fileName, chunk]));
  const initial = new Set<Chunk>();
  const add = (chunk: Chunk | undefined) => {
    if (!chunk || initial.has(chunk)) return;
    initial.add(chunk);
    for (const name of chunk.imports) add(byName.get(name));
  };
  for (const chunk of chunks) if (chunk.isEntry) add(chunk);

  let sum = 0;
  for (const chunk of initial) {
    sum += gzipSync(chunk.code, {level: 9}).length;
    const early = chunk.moduleIds.find(id => lateOnly.test(id));
    if (early)
      throw new Error(
        `Cannot ship the console: ${early} would be loaded at once; import it dynamically`,
      );
  }
  const late = chunks.filter(chunk => !initial.has(chunk));
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
  const lateSum = late.reduce((bytes, {code}) => bytes + gzipSync(code).length, 0);
  console.log(
    `${target}: initial JavaScript ${kib(sum)} gzip in ${initial.size} files (at most ${kib(initialGzipBytesMax)}), ${kib(lateSum)} more in ${late.length} files when opened`,
  );
  if (sum > initialGzipBytesMax)
    throw new Error(
      `Cannot ship the console: its initial JavaScript has ${sum} bytes gzip, more than ${initialGzipBytesMax}; load what is not needed at once by import()`,
    );
}

/** Once here instead of at each request. */
function compress(folder: string): void {
  for (const name of globSync('**/*', {cwd: folder})) {
    const path = join(folder, name);
    if (!compressible.test(name) || !statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(bytes, {level: 9}));
    writeFileSync(
      `${path}.br`,
      brotliCompressSync(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    );
  }
}

/** Somebody else may do the same at this moment: then one of both is there in the end, whole. */
function replace(draft: string): void {
  mkdirSync('console', {recursive: true});
  for (let attempt = 1; ; attempt += 1) {
    rmSync(target, {recursive: true, force: true});
    try {
      renameSync(draft, target);
      return;
    } catch (error) {
      if (attempt === attemptsMax) throw error;
    }
  }
}

/** Of everything that the result is made of. */
function inputsDigest(): string {
  const digest = createHash('sha256');
  const names = globSync(['console/**/*', 'proto/gen/**/*.ts'], {
    exclude: path => /^console\/(dist|node_modules)$/.test(path),
  }).sort();
  for (const name of [...names, 'package-lock.json', 'scripts/bundle-console.ts']) {
    if (!statSync(name).isFile() || /\.test\.tsx?$/.test(name)) continue;
    digest.update(`${name}\0`).update(readFileSync(name)).update('\0');
  }
  return digest.digest('hex');
}
