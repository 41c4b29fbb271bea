import path from 'node:path';
import type {Cache} from '../../cache.ts';
import {digestOf, sha256OfFile, sha256OfText} from '../../digests.ts';
import type {TreeEntry} from '../../cpio.ts';
import {type ImageFile, imageFileEntry, readImageFile} from './files.ts';
import {formatVersion, squashfsLevel} from './format.ts';
import {prepareNode} from './node-runtime.ts';
import {writeTreeLayer} from './squashfs.ts';

/** Our files in a machine image, by their place. */
const ownFiles: Readonly<Record<string, ImageFile>> = {
  'usr/lib/systemd/system/muster-agent.service': 'muster-agent.service',
  'usr/lib/systemd/network/89-muster.network': 'all.network',
  'usr/lib/systemd/system.conf.d/muster.conf': 'watchdog.conf',
  'usr/lib/systemd/system/systemd-networkd-wait-online.service.d/muster.conf': 'wait-online.conf',
  'usr/lib/systemd/system/ssh.service.d/muster.conf': 'ssh-host-keys.conf',
};

/** Digests of everything in this layer that is not node or the agent. */
export const ownFileDigests = (): Promise<string[]> =>
  Promise.all(
    Object.entries(ownFiles).map(
      async ([place, name]) => `${place} ${sha256OfText(await readImageFile(name))}`,
    ),
  );

/** Node, the agent and its unit: the same for every machine. */
export async function buildAgentLayer(
  {
    cache,
    nodeBinary,
    agentBundle,
  }: {
    readonly cache: Cache;
    readonly nodeBinary: string;
    readonly agentBundle: string;
  },
  signal: AbortSignal,
): Promise<string> {
  const node = await prepareNode(nodeBinary, cache, signal);
  const key = digestOf({
    format: formatVersion,
    node: node.sha256,
    agent: await sha256OfFile(agentBundle),
    files: await ownFileDigests(),
    squashfsLevel,
  });
  const directory = await cache.directory('agent-layers', key, async partial => {
    const tree = new Map<string, TreeEntry>([
      ['usr/bin/node', {type: 'file', mode: 0o755, source: node.stripped}],
      ['usr/lib/muster/agent.cjs', {type: 'file', mode: 0o644, source: agentBundle}],
      [
        'usr/lib/systemd/system/multi-user.target.wants/muster-agent.service',
        {type: 'link', target: '../muster-agent.service'},
      ],
    ]);
    for (const [place, name] of Object.entries(ownFiles))
      tree.set(place, await imageFileEntry(name, 0o644));
    await writeTreeLayer(tree, path.join(partial, 'agent.squashfs'), signal);
  });
  return path.join(directory, 'agent.squashfs');
}
