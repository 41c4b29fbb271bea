// Node strips types, but does not know JSX. Tests of the console's components bring their own reader for it; style sheets are empty there.
import {readFileSync} from 'node:fs';
import {createRequire, registerHooks} from 'node:module';
import {fileURLToPath} from 'node:url';
import type {transformSync as TransformSync} from 'esbuild';

const require = createRequire(import.meta.url);

registerHooks({
  load(url, context, nextLoad) {
    if (url.endsWith('.css')) return {format: 'module', source: '', shortCircuit: true};
    if (!url.endsWith('.tsx')) return nextLoad(url, context);
    // Only when it is needed: most test processes load no JSX.
    const {transformSync} = require('esbuild') as {transformSync: typeof TransformSync};
    const path = fileURLToPath(url);
    const {code} = transformSync(readFileSync(path, 'utf8'), {
      loader: 'tsx',
      jsx: 'automatic',
      format: 'esm',
      target: 'node26',
      sourcefile: path,
      sourcemap: 'inline',
    });
    return {format: 'module', source: code, shortCircuit: true};
  },
});
