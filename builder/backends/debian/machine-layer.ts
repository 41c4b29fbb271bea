import type {Tree, TreeEntry} from '../../cpio.ts';
import {isInside, type MachineConfig} from './machine-config.ts';

/** What is this machine's own: host name, SSH keys, files, and the name of the image. */
export function machineTree(config: MachineConfig, inputKey: string): Tree {
  const tree = new Map<string, TreeEntry>();
  const add = (place: string, text: string, mode = 0o644) => {
    for (const [folder, folderMode] of parentModes(place))
      tree.set(folder, {type: 'directory', mode: folderMode});
    tree.set(place, {type: 'file', mode, content: Buffer.from(text)});
  };

  const description = {input_key: inputKey, kind: 'machine', backend: 'debian'};
  add('etc/muster/image.json', `${JSON.stringify(description)}\n`);
  if (config.hostName !== '') {
    add('etc/hostname', `${config.hostName}\n`);
    add(
      'etc/hosts',
      `127.0.0.1 localhost\n127.0.1.1 ${config.hostName}\n::1 localhost ip6-localhost\n`,
    );
  }
  if (config.sshAuthorizedKeys.length > 0)
    add('root/.ssh/authorized_keys', `${config.sshAuthorizedKeys.join('\n')}\n`, 0o600);
  for (const {path, content, mode} of config.files) add(path.slice(1), content, mode);
  return tree;
}

/** In an overlay the upper layer's folder wins, its mode too: a folder that only root may enter must stay so. */
function parentModes(place: string): [string, number][] {
  const parts = place.split('/').slice(0, -1);
  return parts.map((_, index) => {
    const folder = parts.slice(0, index + 1).join('/');
    return [folder, folderMode(folder)];
  });
}

function folderMode(folder: string): number {
  if (folder === 'var/tmp') return 0o1777;
  return isInside(folder, 'root') || isInside(folder, 'etc/ssl/private') ? 0o700 : 0o755;
}
