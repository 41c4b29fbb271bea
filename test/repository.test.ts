import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {basename, dirname, join, normalize} from 'node:path';
import test from 'ava';

const root = new URL('..', import.meta.url).pathname;
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter(path => path !== '' && !path.startsWith('proto/gen/'));
const sources = files.filter(path => /\.tsx?$/.test(path));
const isTest = (path: string) => /\.test\.tsx?$/.test(path);
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Targets as paths from the root: relative imports resolved, workspace imports without their scope. */
const importsOf = (path: string): readonly string[] =>
  [...read(path).matchAll(/^(?:import|export)\s[^;]*?from '([^']+)'|import\('([^']+)'\)/gms)]
    .map(match => match[1] ?? match[2] ?? '')
    .map(target =>
      target.startsWith('.')
        ? normalize(join(dirname(path), target))
        : target.replace(/^@muster\//, ''),
    );

/** Folder → what its files may never import (STYLE.md, B). Tests may import anything. */
const forbidden: Readonly<Record<string, RegExp>> = {
  'server/filter/': /^(server\/(store|domain|rpc|http|workers|clients)\/|proto\/)/,
  'server/store/': /^(server\/(domain|rpc|http|workers|clients)\/|proto\/)/,
  'server/clients/': /^(server\/(domain|rpc|http|workers)\/|proto\/)/,
  'server/domain/': /^(server\/(rpc|http|workers)\/|proto\/)/,
  'server/rpc/': /^server\/clients\//,
  'server/http/': /^server\/clients\//,
  'server/workers/': /^server\/clients\//,
  'agent/': /^(server|builder|ipxe|cli|simulator)\//,
  'builder/': /^(server|agent|ipxe|cli)\//,
  'ipxe/': /^(server|agent|builder|cli)\//,
  'cli/': /^(server|agent|builder|ipxe)\//,
  'console/': /^(server|agent|builder|ipxe|cli|simulator|runtime|test)\//,
  'simulator/': /^(server|builder|ipxe|cli)\//,
  'runtime/': /^(server|agent|builder|ipxe|cli|simulator|test)\//,
};

test('imports point one way', t => {
  for (const path of sources) {
    if (isTest(path) || path.startsWith('test/')) continue;
    const folder = Object.keys(forbidden).find(prefix => path.startsWith(prefix));
    const rule = folder === undefined ? undefined : forbidden[folder];
    if (!rule) continue;
    for (const target of importsOf(path)) t.notRegex(target, rule, path);
  }
});

test('no file outgrows its purpose', t => {
  for (const path of sources) {
    const lines = read(path).split('\n').length - 1;
    const limit = isTest(path) ? 400 : 300;
    t.true(lines <= limit, `${path} has ${lines} lines, at most ${limit}`);
  }
});

test('nothing hides in a drawer', t => {
  for (const path of files.filter(path => !path.startsWith('test/helpers/')))
    t.notRegex(path, /(^|\/)(utils?|helpers?|common|misc|consts?)(\/|\.ts$)/, path);
});

test('settings are read in config.ts, and only run.ts ends a process', t => {
  for (const path of sources) {
    if (isTest(path) || /^(test|scripts)\//.test(path)) continue;
    const text = read(path);
    if (!/^(config|main)\.ts$/.test(basename(path))) t.notRegex(text, /process\.env\b/, path);
    if (path !== 'runtime/run.ts') t.notRegex(text, /process\.exit\(/, path);
  }
});

test('no test is skipped, focused or left to do', t => {
  for (const path of sources.filter(isTest))
    t.notRegex(read(path), /\btest\.(serial\.)?(only|skip|todo|failing)\b/, path);
});

test('the lock file carries no download addresses', t => {
  t.notRegex(read('package-lock.json'), /"resolved": "(https?|git)/);
});

test('the README stays short', t => {
  t.true(read('README.md').split('\n').length <= 151);
});

test('every relative link in the documentation leads somewhere', t => {
  const known = new Set(files);
  // Copies of what others publish link to what they have.
  const own = files.filter(path => path.endsWith('.md') && !path.startsWith('test/interop/'));
  for (const path of own)
    for (const [, target = ''] of read(path).matchAll(
      /\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g,
    )) {
      const resolved = normalize(join(dirname(path), target)).replace(/\/$/, '');
      t.true(
        known.has(resolved) || files.some(file => file.startsWith(`${resolved}/`)),
        `${path} links to ${target}`,
      );
    }
});

test('every bus subject and stream stands in docs/bus.md', async t => {
  const {streams, subjects} = await import('@muster/runtime/bus.ts');
  const page = read('docs/bus.md');
  for (const name of Object.keys(streams)) t.true(page.includes(name), name);
  for (const prefix of [
    'muster.events.',
    'muster.commands.',
    'muster.inbox.',
    subjects.buildJob,
    subjects.validateJob,
  ])
    t.true(page.includes(prefix), prefix);
});

test('a stream that takes what agents publish is no_ack', async t => {
  const {streams} = await import('@muster/runtime/bus.ts');
  for (const stream of Object.values(streams))
    if (stream.subjects?.some(subject => subject.startsWith('muster.reports.')))
      t.true(stream.no_ack, stream.name);
});
