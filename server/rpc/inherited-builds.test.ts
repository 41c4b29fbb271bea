import {Code, ConnectError} from '@connectrpc/connect';
import test from 'ava';
import {createTestBuilds, createTestMachine} from '../../test/helpers/builds.ts';
import {onDatabase, postgresOf} from '../../test/helpers/postgres.ts';
import {createGroups} from '../domain/groups.ts';
import {createMachineSearch} from '../domain/machine-search.ts';
import {createTemplates} from '../domain/templates.ts';

const postgres = postgresOf(test);

const builder = {
  builder: 'b1',
  backends: ['nix', 'debian'].map(name => ({name, available: true, missing: ''})),
};
const profile = {
  kernelArguments: ['quiet'],
  serialConsole: 'ttyS0,115200',
  packages: ['nginx'],
  sshAuthorizedKeys: ['ssh-ed25519 AAAA olga'],
};

async function setUp() {
  const app = await onDatabase(postgres, sql => createTestBuilds(sql, {builders: [builder]}));
  const busStatus = () => ({connected: true, since: new Date(0)});
  const search = createMachineSearch({...app.deps, busStatus});
  const groups = createGroups({...app.deps, search});
  const templates = createTemplates(app.deps);
  const content = {name: 'web', description: '', nixosModule: '_: {}', parameters: []};
  await templates.create('user:olga', content);
  const group = {description: '', tags: [], filter: '', priority: 0, templates: []};
  await groups.create('user:olga', {...group, name: 'rack7', bootProfile: profile});
  return {
    ...app,
    groups,
    templates,
    async spec(machineId: string) {
      const {build} = await app.client.createBuild({machineId});
      return (await app.builder('b1').claimBuild({buildId: build?.id ?? ''})).spec;
    },
  };
}

test('a machine without a system of its own is built from what its group says', async t => {
  await using app = await setUp();
  const id = await createTestMachine(app.sql, 'enrolled', {imageConfig: undefined, hostname: 'r7'});
  const error = await t.throwsAsync(app.client.createBuild({machineId: id}), {
    instanceOf: ConnectError,
  });
  t.is(error?.code, Code.FailedPrecondition);
  await app.groups.add('user:olga', 'rack7', id);
  const spec = await app.spec(id);
  t.is(spec?.backend, 'debian');
  t.like(spec?.imageConfig, {
    hostName: 'r7',
    packages: ['nginx'],
    sshAuthorizedKeys: ['ssh-ed25519 AAAA olga'],
    kernelArguments: ['quiet', 'console=tty0', 'console=ttyS0,115200'],
  });
});

test('templates of a rule-based group make a NixOS system, with the arguments as its first module', async t => {
  await using app = await setUp();
  const templates = [{name: 'web', version: 0, parameters: {}}];
  const group = {description: '', tags: [], priority: 1, bootProfile: undefined};
  const filter = 'hostname = r8';
  await app.groups.create('user:olga', {...group, name: 'nix', filter, templates});
  const id = await createTestMachine(app.sql, 'enrolled', {imageConfig: undefined, hostname: 'r8'});
  await app.groups.add('user:olga', 'rack7', id);
  const spec = await app.spec(id);
  t.is(spec?.backend, 'nix');
  t.like(spec?.facts, {sshAuthorizedKeys: ['ssh-ed25519 AAAA olga']});
  t.deepEqual(
    spec?.templates.map(({name, parameters}) => [name, parameters]),
    [
      [
        'inherited-boot-profile',
        {kernelArguments: ['quiet', 'console=tty0', 'console=ttyS0,115200']},
      ],
      ['web', {}],
    ],
  );
  await t.throwsAsync(app.templates.delete('user:olga', 'web'), {
    message: /group nix give it to machines/,
  });
});

test('what the machine says itself is built, whatever its groups say', async t => {
  await using app = await setUp();
  const id = await createTestMachine(app.sql, 'enrolled');
  await app.groups.add('user:olga', 'rack7', id);
  t.like((await app.spec(id))?.imageConfig, {
    hostName: 'web-1',
    packages: ['nginx'],
    sshAuthorizedKeys: ['ssh-ed25519 AAAA alice'],
    kernelArguments: ['quiet', 'console=tty0', 'console=ttyS0,115200'],
  });
});
