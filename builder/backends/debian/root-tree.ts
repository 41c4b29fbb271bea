import path from 'node:path';
import {runProgram} from '../../process.ts';
import type {TreeEntry} from '../../cpio.ts';
import {imageFileEntry} from './files.ts';

/** The scripts of ours that both initrds have beside their own init. */
export const baseScripts = ['init.sh', 'network.sh', 'udhcpc.sh'] as const;

/** Folders, links and busybox, as both initrds have them: everything is in /usr/bin and /usr/lib. */
export async function baseTree(
  packages: string,
  signal: AbortSignal,
): Promise<Map<string, TreeEntry>> {
  const busybox = path.join(packages, 'bin/busybox');
  const tree = new Map<string, TreeEntry>([
    ['bin', {type: 'link', target: 'usr/bin'}],
    ['sbin', {type: 'link', target: 'usr/bin'}],
    ['lib', {type: 'link', target: 'usr/lib'}],
    ['lib64', {type: 'link', target: 'usr/lib64'}],
    ['usr/sbin', {type: 'link', target: 'bin'}],
    ['usr/lib64', {type: 'directory', mode: 0o755}],
    ['var/run', {type: 'link', target: '../run'}],
    ['root', {type: 'directory', mode: 0o700}],
    ['tmp', {type: 'directory', mode: 0o1777}],
    ['usr/bin/busybox', {type: 'file', mode: 0o755, source: busybox}],
    ['usr/lib/muster/init.sh', await imageFileEntry('init.sh', 0o644)],
    ['usr/lib/muster/network.sh', await imageFileEntry('network.sh', 0o644)],
    ['usr/lib/muster/udhcpc.sh', await imageFileEntry('udhcpc.sh', 0o755)],
  ]);
  for (const folder of ['dev', 'proc', 'sys', 'run', 'etc', 'mnt'])
    tree.set(folder, {type: 'directory', mode: 0o755});
  for (const applet of (await runProgram(busybox, ['--list'], {signal})).split('\n'))
    if (applet !== '' && applet !== 'busybox')
      tree.set(`usr/bin/${applet}`, {type: 'link', target: 'busybox'});
  return tree;
}
