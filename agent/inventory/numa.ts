import type {NumaNodeJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';

const nodes = '/sys/devices/system/node';
const nodeCountMax = 1024;

export async function collectNumaNodes({tree}: Source): Promise<Found> {
  const ids = (await tree.names(nodes))
    .flatMap(name => /^node(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  return {
    numaNodes: await Promise.all(
      ids.slice(0, nodeCountMax).map(async id => {
        const [cpus, meminfo] = await Promise.all([
          tree.text(`${nodes}/node${id}/cpulist`),
          tree.bytes(`${nodes}/node${id}/meminfo`),
        ]);
        const kibibytes = /MemTotal:\s+(\d{1,15}) kB/.exec(meminfo?.toString('utf8') ?? '')?.[1];
        return compact<NumaNodeJson>({
          id,
          cpus,
          memoryBytes: kibibytes === undefined ? undefined : String(BigInt(kibibytes) * 1024n),
        });
      }),
    ),
  };
}
