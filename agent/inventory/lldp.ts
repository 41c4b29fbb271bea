import type {LldpNeighbourJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact, isObject, type JsonObject, parseObject} from '../json.ts';
import type {Found, Source} from './collector.ts';
import {cleanText} from './tree.ts';

const lldpcliTimeoutMs = 5000;
const neighbourCountMax = 256;
const vlanIdMax = 4094;

/** What lldpd has heard so far; switches speak every 30 s, so a later inventory may know more. */
export async function collectLldpNeighbours({tools}: Source): Promise<Found> {
  const args = ['-f', 'json0', 'show', 'neighbors'];
  const told = await tools.run('lldpcli', args, lldpcliTimeoutMs);
  return told === undefined ? {} : {lldpNeighbours: parseLldpcli(told)};
}

/** Of `lldpcli -f json0`, in which everything is a list, unlike "json", whose shape changes with the number of neighbours. */
export function parseLldpcli(text: string): LldpNeighbourJson[] {
  const interfaces = items(parseObject(text), 'lldp').flatMap(lldp => items(lldp, 'interface'));
  return interfaces.slice(0, neighbourCountMax).map(found => {
    const chassis = items(found, 'chassis')[0];
    const port = items(found, 'port')[0];
    const vlan = Number(items(found, 'vlan')[0]?.['vlan-id']);
    return compact<LldpNeighbourJson>({
      interface: typeof found.name === 'string' ? cleanText(found.name) : undefined,
      chassisId: valueOf(chassis, 'id'),
      systemName: valueOf(chassis, 'name'),
      portId: valueOf(port, 'id'),
      portDescription: valueOf(port, 'descr'),
      vlanId: Number.isInteger(vlan) && vlan > 0 && vlan <= vlanIdMax ? vlan : undefined,
    });
  });
}

function items(object: JsonObject | undefined, name: string): JsonObject[] {
  const value = object?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function valueOf(object: JsonObject | undefined, name: string): string | undefined {
  const value = items(object, name)[0]?.value;
  return typeof value === 'string' ? cleanText(value) : undefined;
}
