import {copyFile, link, mkdir, mkdtemp, rm, stat, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {Cache} from '../../cache.ts';
import {digestOf, sha256OfFile} from '../../digests.ts';
import {runProgram} from '../../process.ts';
import type {Apt, ResolvedPackage} from './apt.ts';
import {formatVersion, sourceDateEpoch, squashfsLevel} from './format.ts';
import {versionLine} from './packages.ts';
import {writeTarLayer} from './squashfs.ts';

/** What every machine image has: Debian's essential packages, systemd with network, names and time, and the libraries of Node. */
export const basePackages = [
  '?essential',
  'apt',
  'ca-certificates',
  'dbus',
  'iproute2',
  'kmod',
  'libatomic1',
  'libstdc++6',
  'systemd',
  'systemd-resolved',
  'systemd-sysv',
  'systemd-timesyncd',
  'udev',
] as const;

export const sshPackage = 'openssh-server';

/** Documentation and translations: an image lives in memory. Licences stay. */
const leftOut = [
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/locale/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
];

/**
 * Runs in the finished root. Host name, machine id and SSH host keys are each machine's own; package sources are the builder's and no part of
 * the image. Nothing remounts a root that is an overlay.
 */
const finish = [
  'chroot "$1" systemctl --quiet enable systemd-networkd.service systemd-resolved.service systemd-timesyncd.service',
  'chroot "$1" systemctl --quiet mask systemd-remount-fs.service',
  'rm -f "$1"/etc/hostname "$1"/etc/ssh/ssh_host_*',
  ': > "$1"/etc/machine-id',
  'rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/var/log/*.log "$1"/var/log/apt "$1"/var/cache/ldconfig',
  'ln -sf ../run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf',
];

export const baseLayerKey = (packages: readonly ResolvedPackage[]): string =>
  digestOf({
    format: formatVersion,
    packages: packages.map(versionLine),
    leftOut,
    finish,
    squashfsLevel,
    sourceDateEpoch,
  });

/**
 * Installs exactly these packages into an empty root and makes a squashfs of it. mmdebstrap sees a local repository that holds nothing
 * else, so that it cannot choose other versions than the input key names.
 */
export async function buildBaseLayer(
  apt: Apt,
  cache: Cache,
  packages: readonly ResolvedPackage[],
  {signal, log}: {signal: AbortSignal; log: (line: string) => void},
): Promise<string> {
  const directory = await cache.directory('bases', baseLayerKey(packages), async partial => {
    const work = await mkdtemp(path.join(partial, 'work-'));
    const repository = path.join(work, 'repository');
    await writeRepository(repository, await apt.download(packages, signal), signal);
    const tar = path.join(work, 'base.tar');
    await runProgram('mmdebstrap', mmdebstrapArguments(packages, {repository, tar}), {
      signal,
      contained: true,
      env: {SOURCE_DATE_EPOCH: `${sourceDateEpoch}`, TMPDIR: work},
      onLine: log,
    });
    await writeTarLayer(tar, path.join(partial, 'base.squashfs'), signal);
    await rm(work, {recursive: true, force: true});
  });
  return path.join(directory, 'base.squashfs');
}

function mmdebstrapArguments(
  packages: readonly ResolvedPackage[],
  {repository, tar}: {repository: string; tar: string},
): string[] {
  return [
    '--mode=root',
    '--variant=apt',
    '--format=tar',
    '--architectures=amd64',
    `--include=${packages.map(({name}) => name).join(',')}`,
    '--aptopt=APT::Sandbox::User "root"',
    '--aptopt=APT::Install-Recommends "false"',
    ...leftOut.map(line => `--dpkgopt=${line}`),
    ...finish.map(line => `--customize-hook=${line}`),
    // The name of the suite is of no matter to a flat repository.
    'bookworm',
    tar,
    // apt has checked the packages against the signed lists when it downloaded them.
    `deb [trusted=yes] copy:${repository} ./`,
  ];
}

/** A flat repository (sources.list(5)): one index and the packages. */
async function writeRepository(
  repository: string,
  debs: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await mkdir(repository);
  const stanzas: string[] = [];
  for (const deb of debs) {
    const name = path.basename(deb).replaceAll('%3a', '_');
    await linkOrCopy(deb, path.join(repository, name));
    const control = await runProgram('dpkg-deb', ['--field', deb], {signal});
    const [sha256, {size}] = await Promise.all([sha256OfFile(deb), stat(deb)]);
    stanzas.push(`${control.trimEnd()}\nFilename: ./${name}\nSize: ${size}\nSHA256: ${sha256}\n`);
  }
  await writeFile(path.join(repository, 'Packages'), stanzas.join('\n'));
}

/** A copy only when cache and downloads lie on different file systems. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    await copyFile(from, to);
  }
}
