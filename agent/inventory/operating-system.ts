import type {OperatingSystemJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';
import {readArchitecture} from './cpus.ts';
import {cleanText} from './tree.ts';

export async function collectOperatingSystem({tree}: Source): Promise<Found> {
  const [release, kernel, architecture, hostName] = await Promise.all([
    tree.bytes('/etc/os-release'),
    tree.text('/proc/sys/kernel/osrelease'),
    readArchitecture(tree),
    tree.text('/proc/sys/kernel/hostname'),
  ]);
  const name = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release?.toString('utf8') ?? '')?.[1];
  return {
    operatingSystem: compact<OperatingSystemJson>({
      name: cleanText(name),
      kernel,
      architecture,
      // The kernel's word for a host without a name.
      hostName: hostName === '(none)' ? undefined : hostName,
    }),
  };
}
