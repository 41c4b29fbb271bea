// What the boot of a machine writes for Nix, by the real jq, and what the real Nix reads in it.
import {execFile} from 'node:child_process';
import {readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {nixFolder, startNix} from './testing/nix.ts';

const run = promisify(execFile);

type Module = {
  readonly extraOptions: string;
  readonly script: string;
  readonly filter: string;
  readonly before: readonly string[];
};

/** The module as data; undefined when it adds nothing. */
async function moduleWith(nixOptions: string, enable = 'true'): Promise<Module | undefined> {
  using nix = startNix();
  const found = await nix.evaluate(`
    let
      module = import ${nixFolder}/modules/nix-cache.nix {
        lib = import ${nixFolder}/testing/lib.nix;
        options.nix = ${nixOptions};
        config.nix.enable = ${enable};
        pkgs = { jq = "/usr"; writeText = name: text: "<<" + text + ">>"; };
      };
      inherit (module.config) content condition;
      unit = content.systemd.services.muster-nix-cache;
      parts = builtins.match "(.*)<<(.*)>>(.*)" unit.script;
    in
      if !condition then null else {
        inherit (content.nix) extraOptions;
        inherit (unit) before;
        script = builtins.elemAt parts 0 + "filter.jq" + builtins.elemAt parts 2;
        filter = builtins.elemAt parts 1;
      }`);
  return (found as Module | null) ?? undefined;
}

const siteKey = `muster-0123456789abcdef:${Buffer.alloc(32, 7).toString('base64')}`;
const bootFile = {session: 's', edge_url: 'http://10.0.0.1:8081'};
const imageFile = {input_key: 'k', nix_cache: {public_key: siteKey}};

/** Runs the unit with a folder in the place of /run/muster. Gives nix.conf. */
async function boot(folder: string, boot: unknown, image: unknown): Promise<string> {
  const module = await moduleWith('{ enable = { }; }');
  writeFileSync(join(folder, 'boot.json'), `${JSON.stringify(boot)}\n`);
  writeFileSync(join(folder, 'image.json'), `${JSON.stringify(image)}\n`);
  writeFileSync(join(folder, 'filter.jq'), module?.filter ?? '');
  const script = (module?.script ?? '').replaceAll('/run/muster', folder);
  await run('bash', ['-e', '-c', script], {cwd: folder, env: {PATH: '/usr/bin:/bin'}});
  return readFileSync(join(folder, 'nix.conf'), 'utf8');
}

test('the edge of the boot and the key of the image become settings of Nix', async t => {
  using nix = startNix();
  const text = await boot(nix.folder, bootFile, imageFile);
  t.is(
    text,
    `extra-substituters = http://10.0.0.1:8081/nix-cache\nextra-trusted-public-keys = ${siteKey}\n`,
  );
  t.is(statSync(join(nix.folder, 'nix.conf')).mode & 0o777, 0o444);

  const module = await moduleWith('{ enable = { }; }');
  const file = join(nix.folder, 'conf', 'nix.conf');
  const include = (module?.extraOptions ?? '').replaceAll('/run/muster', nix.folder);
  const shown = async () =>
    JSON.parse(await nix.run('nix', ['show-config', '--json'])) as Record<
      string,
      {readonly value: readonly string[]}
    >;
  writeFileSync(
    file,
    `experimental-features = nix-command\nsubstituters = https://cache.example/\ntrusted-public-keys = example-1:a\n${include}\n`,
  );
  const settings = await shown();
  t.deepEqual(settings.substituters?.value.toSorted(), [
    'http://10.0.0.1:8081/nix-cache',
    'https://cache.example/',
  ]);
  t.deepEqual(settings['trusted-public-keys']?.value.toSorted(), ['example-1:a', siteKey]);

  writeFileSync(file, readFileSync(file, 'utf8').replace(nix.folder, '/nowhere'));
  t.deepEqual((await shown()).substituters?.value, ['https://cache.example/'], 'it may be missing');
});

test('IPv6 and names are addresses too', async t => {
  using nix = startNix();
  for (const url of ['http://[fd00::1]:8081', 'https://edge-1.example.com'])
    t.true(
      (await boot(nix.folder, {...bootFile, edge_url: url}, imageFile)).startsWith(
        `extra-substituters = ${url}/nix-cache\n`,
      ),
      url,
    );
});

test('an image without a key fetches nothing', async t => {
  using nix = startNix();
  t.is(await boot(nix.folder, bootFile, {input_key: 'k'}), '');
  t.is(await boot(nix.folder, {session: 's'}, imageFile), '');
});

test('neither address nor key can bring another setting', async t => {
  using nix = startNix();
  const evil = 'allowed-users = *';
  for (const edge_url of [
    `http://10.0.0.1:8081\n${evil}`,
    `http://10.0.0.1:8081\n`,
    `http://10.0.0.1 ${evil}`,
    `http://10.0.0.1?trusted=1`,
    'file:///tmp/cache',
    `x\nhttp://10.0.0.1`,
    ['http://10.0.0.1'],
  ])
    t.is(await boot(nix.folder, {...bootFile, edge_url}, imageFile), '', JSON.stringify(edge_url));
  for (const public_key of [`${siteKey}\n${evil}`, `${siteKey} other-1:x`, 'muster-1:short', {}])
    t.is(
      await boot(nix.folder, bootFile, {nix_cache: {public_key}}),
      '',
      JSON.stringify(public_key),
    );
});

test('it comes before the daemon, and not at all where there is no Nix', async t => {
  t.deepEqual((await moduleWith('{ enable = { }; }'))?.before, ['nix-daemon.service']);
  t.truthy(await moduleWith('{ }', 'false'), 'NixOS 20.09 has no nix.enable');
  t.is(await moduleWith('{ enable = { }; }', 'false'), undefined);
});
