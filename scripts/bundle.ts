// Writes dist/agent.cjs: the whole agent in one file, as images carry it (docs/boot.md).
import {mkdirSync, statSync} from 'node:fs';
import {build} from 'esbuild';

const outfile = 'dist/agent.cjs';
const bundleBytesMax = 1_500_000;

mkdirSync('dist', {recursive: true});
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

const {size} = statSync(outfile);
console.log(`${outfile}: ${size} bytes`);
if (size > bundleBytesMax)
  throw new Error(`Cannot ship the agent: ${size} bytes are more than ${bundleBytesMax}`);
