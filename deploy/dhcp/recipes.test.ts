import {spawnSync} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';

const folder = import.meta.dirname;
const tools = '/var/lib/muster/tools';

/** What a server says to a recipe: its exit status and its own words. */
function check(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const path = '/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin';
  const {status, stdout, stderr, error} = spawnSync(program, args, {
    encoding: 'utf8',
    env: {PATH: path, ...env},
    timeout: 20_000,
  });
  return {status, words: `${stdout}${stderr}${error?.message ?? ''}`};
}

for (const name of ['dnsmasq.conf', 'dnsmasq-proxy.conf'])
  test(`dnsmasq accepts ${name}`, t => {
    const {status, words} = check('dnsmasq', ['--test', `--conf-file=${join(folder, name)}`]);
    t.is(status, 0, words);
  });

test('ISC dhcpd accepts isc-dhcpd.conf', async t => {
  const work = await mkdtemp(join(tmpdir(), 'muster-dhcpd-'));
  try {
    const leases = join(work, 'leases');
    await writeFile(leases, '');
    const recipe = join(folder, 'isc-dhcpd.conf');
    const {status, words} = check(`${tools}/dhcpd`, ['-t', '-cf', recipe, '-lf', leases]);
    t.is(status, 0, words);
  } finally {
    await rm(work, {recursive: true, force: true});
  }
});

test('Kea accepts kea.json', t => {
  const {status, words} = check(`${tools}/kea/kea-dhcp4`, ['-t', join(folder, 'kea.json')], {
    LD_LIBRARY_PATH: `${tools}/kea/lib`,
  });
  t.is(status, 0, words);
});

test('every recipe names the same edge, script and loaders', async t => {
  for (const name of [
    'dnsmasq.conf',
    'dnsmasq-proxy.conf',
    'isc-dhcpd.conf',
    'kea.json',
    'mikrotik.rsc',
  ]) {
    const recipe = await readFile(join(folder, name), 'utf8');
    for (const word of ['http://192.0.2.1:8081/boot.ipxe', 'snponly.efi', 'undionly.kpxe'])
      t.true(recipe.includes(word), `${name} lacks ${word}`);
  }
});
