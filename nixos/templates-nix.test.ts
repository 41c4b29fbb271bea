import {join} from 'node:path';
import test from 'ava';
import {nixFolder, startNix} from './testing/nix.ts';

type Applied = {readonly config: Record<string, unknown>; readonly failed: readonly string[]};
type Example = {readonly template: string; readonly parameters: Readonly<Record<string, unknown>>};

/** The module of a template as data, applied by the real Nix. */
async function apply(
  {template, parameters}: Example,
  {age = 'new', facts = {}}: {age?: 'new' | 'old'; facts?: object} = {},
): Promise<Applied> {
  using nix = startNix();
  const value = (given: unknown) => `(builtins.fromJSON ${nixString(JSON.stringify(given))})`;
  const applied = await nix.evaluate(
    `import ${nixFolder}/testing/apply-template.nix {
      template = ${join(nixFolder, 'templates', `${template}.nix`)};
      parameters = ${value(parameters)}; facts = ${value(facts)}; age = "${age}";
    }`,
  );
  return applied as Applied;
}

const nixString = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('${', '\\${')}"`;

async function examples(): Promise<Readonly<Record<string, Example>>> {
  using nix = startNix();
  const found = await nix.evaluate(`import ${nixFolder}/templates/examples.nix`);
  return found as Record<string, Example>;
}

const facts = {machineId: '0198c0de-0000-7000-8000-000000000001', memoryBytes: 64 * 1024 ** 3};

test('every example of every template evaluates, on new and on old NixOS', async t => {
  const all = Object.entries(await examples());
  t.is(new Set(all.map(([, {template}]) => template)).size, 5);
  for (const [name, example] of all)
    for (const age of ['new', 'old'] as const)
      t.deepEqual((await apply(example, {age, facts})).failed, [], `${name} on ${age} NixOS`);
});

async function exampleWith(name: string, changed: object): Promise<Example> {
  const example = (await examples())[name];
  if (!example) throw new Error(`No example "${name}"`);
  return {...example, parameters: {...example.parameters, ...changed}};
}

test('base-server: people, their keys, ports and ranges', async t => {
  const {config} = await apply(await exampleWith('base-server-full', {}));
  t.like(config, {
    users: {
      users: {
        ann: {
          isNormalUser: true,
          openssh: {
            authorizedKeys: {
              keys: [
                'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn ann@desk',
                'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnnToo',
              ],
            },
          },
        },
      },
    },
    networking: {
      firewall: {allowedTCPPorts: [443], allowedTCPPortRanges: [{from: 8000, to: 8010}]},
    },
    services: {openssh: {ports: [2222], settings: {PermitRootLogin: 'no'}}},
    time: {timeZone: 'Europe/Vienna'},
  });
});

test('base-server: a package that does not exist is named', async t => {
  const example = await exampleWith('base-server', {extraPackages: ['no-such']});
  await t.throwsAsync(apply(example), {message: /nixpkgs has no package "no-such"/});
});

test('base-server: nobody is locked out', async t => {
  const {failed} = await apply(await exampleWith('base-server', {rootLogin: false}));
  t.regex(failed[0] ?? '', /nobody could log in/);
});

test('kubernetes-node: the token is only named, and k3s waits for its file', async t => {
  for (const age of ['new', 'old'] as const) {
    const {config} = await apply(await exampleWith('kubernetes-agent', {}), {age});
    t.like(config, {systemd: {paths: {k3s: {pathConfig: {PathExists: '/run/k3s/token'}}}}}, age);
    t.like(config, {systemd: {services: {k3s: {wantedBy: []}}}}, age);
    t.true(JSON.stringify(config).includes('/run/k3s/token'), age);
  }
  const first = await apply(await exampleWith('kubernetes-server', {}));
  t.like(first.config, {systemd: {paths: {k3s: null}}});
});

test('kubernetes-node: contradictions are told', async t => {
  const told = async (changed: object) =>
    (await apply(await exampleWith('kubernetes-agent', changed))).failed.join();
  t.regex(await told({serverUrl: ''}), /an agent needs serverUrl/);
  t.regex(await told({clusterInit: true}), /clusterInit is for/);
});

test("zfs-storage: the host id is the machine's own, and the cache is bounded", async t => {
  const example = await exampleWith('zfs-storage', {});
  const {config} = await apply(example, {facts});
  t.regex(JSON.stringify(config), /"hostId":"[0-9a-f]{8}"/);
  t.like(config, {boot: {kernelParams: ['zfs.zfs_arc_max=34359738350']}});
  const other = await apply(example, {facts: {...facts, machineId: 'another'}});
  t.notDeepEqual(other.config['networking'], config['networking']);
  t.regex((await apply(example)).failed[0] ?? '', /nothing is known that tells this machine/);
});

test('gpu-node: an unknown driver branch is named', async t => {
  const example = await exampleWith('gpu-node-nvidia', {nvidiaBranch: 'dc'});
  await t.throwsAsync(apply(example), {message: /no NVIDIA driver "dc"/});
});
