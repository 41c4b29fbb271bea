// Writes dist/agent.cjs: the whole agent in one file, as images carry it (docs/boot.md); and nixos/dist: the agent and the other processes
// as the flake in nixos/ packages them, each in one file with the files that it reads beside its sources. And console/dist, which the server serves.
import {copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync} from 'node:fs';
import process from 'node:process';
import {build} from 'esbuild';
import {bundleConsole} from './bundle-console.ts';
import {bundleConsole as copyConsole, bundleProcess} from './bundle-process.ts';

const outfile = 'dist/agent.cjs';
const bundleBytesMax = 1_500_000;
const nixFolder = 'nixos/dist';

/** Per process: the most bytes of its program, without the files beside it. */
const processBytesMax = {
  server: 6_000_000,
  builder: 4_000_000,
  ipxe: 4_000_000,
  cli: 4_000_000,
} as const;

mkdirSync('dist', {recursive: true});
await bundleConsole();
await build({
  entryPoints: ['agent/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node26',
  minify: true,
  legalComments: 'eof',
  // `import()` of a builtin would go through the ESM loader, which costs seconds on a slow machine (notes on the lab): `require` it is.
  supported: {'dynamic-import': false},
});
checkSize(outfile, bundleBytesMax);

// A builder may copy nixos/ meanwhile, and "up" and tests bundle at the same time: what is there is always whole.
const draft = `${nixFolder}/.${process.pid}`;
mkdirSync(draft, {recursive: true});
copyFileSync(outfile, `${draft}/agent.cjs`);
renameSync(`${draft}/agent.cjs`, `${nixFolder}/agent.cjs`);
await Promise.all(
  Object.entries(processBytesMax).map(async ([name, bytesMax]) => {
    checkSize(await bundleProcess(name, draft), bytesMax);
  }),
);
copyConsole(draft);
for (const name of [...Object.keys(processBytesMax), 'console']) {
  rmSync(`${nixFolder}/${name}`, {recursive: true, force: true});
  if (existsSync(`${draft}/${name}`)) renameSync(`${draft}/${name}`, `${nixFolder}/${name}`);
}
rmSync(draft, {recursive: true});

function checkSize(path: string, bytesMax: number): void {
  const {size} = statSync(path);
  console.log(`${path}: ${size} bytes`);
  if (size > bytesMax)
    throw new Error(`Cannot ship ${path}: ${size} bytes are more than ${bytesMax}`);
}
