import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {onHostOf, runCommand, said} from '../helpers/command.ts';

const stack = new AsyncDisposableStack();
let muster: Muster;
let folder: string;
test.before(async () => {
  folder = stack.adopt(await mkdtemp(join(tmpdir(), 'muster-templates-')), path =>
    rm(path, {recursive: true, force: true}),
  );
  await writeFile(
    join(folder, 'base-server.json'),
    '{"name": "base-server", "description": "Base"}',
  );
  await writeFile(join(folder, 'base-server.nix'), '_: {}');
  muster = stack.use(await startMuster({serverEnv: {TEMPLATES_DIR: folder}}));
});
test.after.always(() => stack.disposeAsync());

/** `muster` as the administrator of this host. */
const run = (words: string, input = '') =>
  runCommand(words.split(' '), onHostOf(muster), {input, cwd: folder});

const printed = (words: string, input = '') =>
  said(words.split(' '), onHostOf(muster), {input, cwd: folder});

async function rest(verb: string, path: string, body?: object) {
  const response = await fetch(`${muster.serverUrl}/api/v1${path}`, {
    method: verb,
    headers: {authorization: `Bearer ${await muster.localToken()}`},
    ...(body ? {body: JSON.stringify(body)} : {}),
  });
  const text = await response.text();
  return {status: response.status, text, lines: text.trim().split('\n')};
}

const definition = {
  description: 'A web server',
  parameters: [
    {name: 'port', type: 'TYPE_INTEGER', minimum: 1, maximum: 65_535},
    {name: 'names', type: 'TYPE_STRING_LIST', defaultValue: ['localhost'], pattern: '[a-z.]+'},
  ],
};

test.serial('templates are made, shown, changed and removed from the command line', async t => {
  await writeFile(join(folder, 'web.nix'), 'parameters: {services.nginx.enable = true;}\n');
  await writeFile(join(folder, 'web.json'), JSON.stringify(definition));
  t.is(
    await printed('templates create web --module web.nix --definition web.json'),
    'Created template web, version 1\n',
  );
  const list = await printed('templates list');
  t.regex(list, /^base-server +1 +Muster +0 .* Base$/m);
  t.regex(list, /^web +1 +operator +2 .* A web server$/m);
  const shown = await printed('templates show web');
  t.regex(shown, /^port +integer +required +1 to 65535/m);
  t.regex(shown, /^names +string list +\["localhost"\] +\[a-z.\]\+/m);
  t.is(
    await printed('templates show web@1 --module'),
    'parameters: {services.nginx.enable = true;}\n',
  );

  await printed('machines create --serial WEB7 --hostname web7');
  const update = 'machines update WEB7 --template web base-server@1 --parameter web.port=8080';
  t.regex(await printed(update), /^templates +web port=8080; base-server@1$/m);
  await printed('machines update WEB7 --parameter web.names=a.example,b.example');
  const machine = JSON.parse(await printed('machines get WEB7 --json')) as {templates: object[]};
  t.deepEqual(machine.templates, [
    {name: 'web', parameters: {port: 8080, names: ['a.example', 'b.example']}},
    {name: 'base-server', version: 1, parameters: {}},
  ]);
  const unfit = await run('machines update WEB7 --parameter web.port=0');
  t.is(unfit.status, 2);
  t.is(unfit.stderr, 'Cannot use template "web": parameter "port" must be at least 1, not 0\n');
  t.is((await run('machines update WEB7 --parameter web.prot=1')).status, 2);
  t.is((await run('machines update WEB7 --parameter other.port=1')).status, 2);
  t.is((await run('machines update WEB7 --template nope')).status, 5);

  const dry = await printed('templates update web --description New --dry-run');
  t.regex(dry, /^Would add version 2 of template web\nThe next build of 1 machines takes it:\n/);
  t.regex(dry, / web7 +2 +newest$/m);
  t.regex(await printed('templates update web --description New'), /^Added version 2/);
  t.is(await printed('templates update web --description New'), 'Nothing differs from version 2\n');
  t.regex(await printed('templates machines base-server'), / web7 +1 +this one$/m);
  const used = await run('templates delete web');
  t.is(used.status, 1);
  t.regex(used.stderr, /machines "web7" use it/);
  t.regex((await run('templates delete base-server')).stderr, /it comes with Muster/);

  t.notRegex(await printed('machines update WEB7 --no-templates'), /^templates/m);
  t.is(await printed('templates delete web'), 'Deleted template web\n');
  t.is((await run('templates show web')).status, 5);
});

test.serial('REST speaks of templates in its dialect', async t => {
  const [port, names] = definition.parameters;
  const template = {
    name: 'rest',
    nixos_module: '_: {}',
    parameters: [
      {...port, type: 'integer'},
      {name: names?.name, type: 'string_list', default_value: ['a']},
    ],
  };
  const created = await rest('POST', '/templates', template);
  t.is(created.status, 200, created.text);
  t.like(JSON.parse(created.text), {
    name: 'rest',
    version: 1,
    parameters: {1: {default_value: ['a']}},
  });

  const body = {
    serial: undefined,
    service_tag: 'REST8',
    templates: [{name: 'rest', parameters: {port: 1}}],
  };
  const machine = JSON.parse((await rest('POST', '/machines', body)).text) as {id: string};
  t.like(machine, {templates: {0: {name: 'rest', version: 0, parameters: {port: 1}}}});
  t.like(machine, {last_good_image_id: '', bad_image_ids: []});
  const put = await rest('PUT', `/machines/${machine.id}`, {templates: []});
  t.like(JSON.parse(put.text), {templates: []});
  await rest('PUT', `/machines/${machine.id}`, {
    templates: [{name: 'rest', parameters: {port: 1}}],
  });

  const update = {...template, description: 'New'};
  const dry = JSON.parse(
    (await rest('PUT', '/templates/rest?dry_run=true', update)).text,
  ) as object;
  t.like(dry, {template: {version: 2}, machines: {0: {machine_name: 'REST8', follows: true}}});
  t.is((JSON.parse((await rest('GET', '/templates/rest')).text) as {version: number}).version, 1);
  t.like(JSON.parse((await rest('GET', '/templates/rest/machines')).text), {length: 1});
  t.is((await rest('DELETE', '/templates/rest')).status, 400);
  await rest('PUT', `/machines/${machine.id}`, {templates: []});
  t.is((await rest('DELETE', '/templates/rest')).status, 200);
  t.is((await rest('GET', '/templates/rest')).status, 404);
});

test.serial('a configuration is checked while one waits, by REST too', async t => {
  const good = '{\n  services.nginx.enable = true;\n}\n';
  await writeFile(join(folder, 'good.nix'), good);
  await writeFile(join(folder, 'open.nix'), '{\n  a = [ 1;\n}\n');
  await writeFile(join(folder, 'wrong.nix'), good.replace('enable', 'enabel'));
  const open = await run('config validate open.nix');
  t.is(open.status, 1);
  t.is(open.stdout, 'open.nix:2:10: Unexpected ";": expected a value or "]"\n');
  t.is(open.stderr, 'One thing is wrong\n');
  const alone = await run('config validate good.nix');
  t.is(alone.status, 1);
  t.regex(alone.stderr, /no live builder offers nix \(no builder is online; start one/);
  t.is((await run('config validate good.nix --syntax-only')).status, 0);

  await using builder = await startContractBuilder(muster, 'b1', ['debian', 'nix']);
  void builder;
  const clean = await run('config validate - --json', good);
  t.is(clean.status, 0, clean.stderr);
  t.deepEqual(
    clean.stdout
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as {phase: string}).phase),
    ['PHASE_SYNTAX', 'PHASE_EVALUATION'],
  );
  const wrong = await run('config validate wrong.nix');
  t.is(wrong.status, 1);
  t.is(wrong.stdout, 'wrong.nix:2:18: The option "enabel" does not exist\n');

  const answer = await rest('POST', '/config-validations', {nixos_config: '{enabel = 1;}'});
  t.is(answer.status, 200);
  t.like(
    answer.lines.map(line => JSON.parse(line) as object),
    {
      0: {phase: 'syntax', diagnostics: []},
      1: {phase: 'evaluation', diagnostics: {0: {kind: 'unknown_option', line: 1, column: 2}}},
    },
  );
  t.is((await rest('POST', '/config-validations', {})).status, 400);
});

test.serial(
  'a build tells where the configuration is wrong, and one that is right is kept',
  async t => {
    await using builder = await startContractBuilder(muster, 'b2', ['debian', 'nix']);
    void builder;
    await printed('machines create --serial NIX9 --hostname nix9');
    await printed('machines update NIX9 --template base-server --nixos-config wrong.nix');
    const failed = await run('build start NIX9 --watch');
    t.is(failed.status, 1);
    t.regex(failed.stdout, /FAILED.*\nnixos_config:2:18: The option "enabel" does not exist\n$/);
    const [build] = JSON.parse(await printed('build list --machine NIX9 --json')) as object[];
    t.like(build, {backend: 'nix', diagnostics: {0: {kind: 'KIND_UNKNOWN_OPTION', line: 2}}});

    await printed('machines update NIX9 --nixos-config good.nix');
    const built = await printed('build start NIX9 --watch');
    t.regex(built, /SUCCEEDED/);
    const {machine} = await muster.client(MachineService).getMachine({id: 'NIX9'});
    const dry = await printed('images gc --dry-run --older-than 1');
    t.is(dry, 'Would remove 0 images and 0 files, 0 B\n');
    await muster.postgres.sql`update images set create_time = create_time - interval '2 days'`;
    t.is(await printed('images gc'), 'Removed 0 images and 0 files, 0 B\n', 'it is desired');
    await muster.postgres.sql`update machines set desired_image_id = null`;
    const gone = JSON.parse(await printed('images gc --json')) as {imageIds: string[]};
    t.deepEqual(gone.imageIds, [machine?.desiredImageId ?? '']);
    t.is((await run('images gc --older-than 0')).status, 2);
    await until('the event', async () =>
      (await printed('events list')).includes('image.collected'),
    );
  },
);
