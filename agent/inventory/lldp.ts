import type {LldpNeighbourJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact, isObject, type JsonObject, parseObject} from '../json.ts';
import type {Tools} from '../run-command.ts';
import type {Found, Source} from './collector.ts';
import {parseLldpFrame} from './lldp-frame.ts';
import {cleanText} from './tree.ts';

const lldpcliTimeoutMs = 5000;
const neighbourCountMax = 256;
/** A little more than the usual interval of 30 s (IEEE 802.1AB, 9.2.5.7). */
const listenMs = 32_000;
/** At a time; a server has a few ports with a link. */
const listenersMax = 16;
const vlanIdMax = 4094;

/**
 * What lldpd has heard so far. Without lldpd, which is too large for a registration image, tcpdump waits on each interface with a link for
 * one frame: switches speak every 30 s.
 */
export async function collectLldpNeighbours({tools, tree}: Source): Promise<Found> {
  const args = ['-f', 'json0', 'show', 'neighbors'];
  const told = await tools.run('lldpcli', args, lldpcliTimeoutMs);
  if (told !== undefined) return {lldpNeighbours: parseLldpcli(told)};

  if (!tools.find('tcpdump')) return {};
  const linked: string[] = [];
  for (const name of await tree.names('/sys/class/net'))
    if (name !== 'lo' && (await tree.text(`/sys/class/net/${name}/carrier`)) === '1')
      linked.push(name);
  const heard = await Promise.all(linked.slice(0, listenersMax).map(name => listen(tools, name)));
  return {lldpNeighbours: heard.filter(neighbour => neighbour !== undefined)};
}

/** Undefined when there is no tcpdump or no switch spoke. Promiscuous, because NICs filter the multicast address otherwise. */
async function listen(tools: Tools, name: string): Promise<LldpNeighbourJson | undefined> {
  const filter = ['ether', 'proto', '0x88cc'];
  const args = ['-Z', 'root', '-n', '-xx', '-s', '1600', '-c', '1', '-i', name, ...filter];
  try {
    const told = await tools.run('tcpdump', args, listenMs);
    return told === undefined ? undefined : parseLldpFrame(name, parseHexDump(told));
  } catch {
    // Silence until the limit is the ordinary answer of a port without LLDP.
    return undefined;
  }
}

/** The bytes in what `tcpdump -xx` prints: lines of "0x0010:  0011 2233". */
export function parseHexDump(text: string): Buffer {
  const rows = [...text.matchAll(/^\s*0x[0-9a-f]{4}:((?:\s+[0-9a-f]{2,4})+)/gm)];
  return Buffer.from(rows.map(([, row = '']) => row.replaceAll(/\s/g, '')).join(''), 'hex');
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
