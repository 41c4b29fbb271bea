import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {createTestTemplates, webTemplate} from '../../test/helpers/templates.ts';
import {loadBuiltinTemplates} from './builtin-templates.ts';

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startPostgres());
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'muster-templates-')), path =>
    rm(path, {recursive: true, force: true}),
  );
  const app = await createTestTemplates(postgres.sql);
  const write = async (name: string, json: object, module = '_: {}') => {
    await writeFile(join(folder, `${name}.json`), JSON.stringify({name, ...json}));
    await writeFile(join(folder, `${name}.nix`), module);
  };
  const load = () => loadBuiltinTemplates({folder, templates: app.templates, log});
  const versions = async () =>
    (await app.client.listTemplates({})).templates.map(
      ({name, version, builtin}) => `${name}@${version}${builtin ? ' builtin' : ''}`,
    );
  const owned = stack.move();
  return {...app, folder, write, load, versions, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

test('what a release brings is there after its start, and a new version when it differs', async t => {
  await using app = await setUp();
  const parameters = [{name: 'port', type: 'TYPE_INTEGER', defaultValue: 22, maximum: 65_535}];
  await app.write('base-server', {description: 'Base', parameters});
  await Promise.all([app.load(), app.load(), app.load()]);
  t.deepEqual(await app.versions(), ['base-server@1 builtin']);
  await app.load();
  t.deepEqual(await app.versions(), ['base-server@1 builtin']);

  await app.write('base-server', {description: 'Base', parameters}, '_: {a = 1;}');
  await Promise.all([app.load(), app.load()]);
  t.deepEqual(await app.versions(), ['base-server@2 builtin']);
  t.is(
    (await app.sql`select 1 from events where type = 'template.updated' and actor = 'system'`)
      .length,
    1,
  );
});

test('nobody but a release changes what comes with Muster', async t => {
  await using app = await setUp();
  await app.write('web', {description: 'Web'});
  await app.load();
  await t.throwsAsync(app.client.updateTemplate({template: webTemplate}), {
    message:
      '[failed_precondition] Cannot update template "web": it comes with Muster; create one under another name instead',
  });
  await t.throwsAsync(app.client.deleteTemplate({name: 'web'}), {message: /it comes with Muster/});
  await app.client.createTemplate({template: {...webTemplate, name: 'my-web'}});
});

test('one that is broken, or whose name an operator has taken, keeps no other away', async t => {
  await using app = await setUp();
  await app.client.createTemplate({template: webTemplate});
  await app.write('web', {description: 'Of Muster'});
  await app.write('broken', {}, '_: {');
  await app.write('misnamed', {name: 'other'});
  await writeFile(join(app.folder, 'junk.json'), '{');
  await writeFile(join(app.folder, 'alone.json'), '{"name": "alone"}');
  await app.write('zfs', {});
  await app.load();
  t.deepEqual(await app.versions(), ['web@1', 'zfs@1 builtin']);
  t.is((await app.client.getTemplate({name: 'web'})).template?.description, 'A web server');
  await loadBuiltinTemplates({folder: '/nonexistent', templates: app.templates, log});
});
