import {readFile} from 'node:fs/promises';
import test from 'ava';
import {configurationFile, renderConfiguration} from '../scripts/configuration.ts';

test('docs/configuration.md lists exactly the settings that the processes read', async t => {
  const page = await readFile(configurationFile, 'utf8');
  t.is(page, await renderConfiguration(), 'write it anew: node scripts/configuration.ts');
});
