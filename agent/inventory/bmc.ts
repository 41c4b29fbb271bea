import type {BmcJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Tools} from '../run-command.ts';
import type {Found, Source} from './collector.ts';
import {cleanText, type Tree} from './tree.ts';

const ipmitoolTimeoutMs = 8000;
/** IPMI LAN channels are rarely other than these; 8 is Dell's shared port and HPE's second. */
const lanChannels = [1, 2, 3, 8] as const;
const noAddress = new Set(['0.0.0.0', '00:00:00:00:00:00']);

export async function collectBmc({tree, tools}: Source): Promise<Found> {
  if (!(await tree.exists('/dev/ipmi0'))) return {};
  const [lan, controller] = [
    await readLan(tools),
    await tools.run('ipmitool', ['mc', 'info'], ipmitoolTimeoutMs).catch(() => undefined),
  ];
  const value = parseIpmitool(controller ?? '');
  const bmc = compact<BmcJson>({
    ...lan,
    firmwareVersion: value('Firmware Revision'),
    manufacturer: value('Manufacturer Name'),
  });
  // There is one, whoever asks: "absent" would say that there is none.
  if (Object.keys(bmc).length === 0)
    throw new Error('There is a BMC (/dev/ipmi0), but no ipmitool that gets an answer from it');
  return {bmc};
}

/** For the evidence: only the address that identifies the machine. */
export async function readBmcMac(tree: Tree, tools: Tools): Promise<string | undefined> {
  return (await tree.exists('/dev/ipmi0')) ? (await readLan(tools))?.macAddress : undefined;
}

async function readLan(tools: Tools): Promise<BmcJson | undefined> {
  for (const channel of lanChannels) {
    const told = await tools
      .run('ipmitool', ['lan', 'print', String(channel)], ipmitoolTimeoutMs)
      .catch(() => undefined);
    const value = parseIpmitool(told ?? '');
    const macAddress = value('MAC Address')?.toLowerCase();
    if (macAddress !== undefined) return compact({macAddress, ipAddress: value('IP Address')});
  }
  return undefined;
}

/** "Name    : value" lines; addresses of zeros are none. */
function parseIpmitool(text: string): (name: string) => string | undefined {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const cut = line.indexOf(':');
    const name = line.slice(0, cut).trim();
    // Continuation lines have no name, and the first of equal names counts.
    if (cut > 0 && name !== '' && !values.has(name)) values.set(name, line.slice(cut + 1));
  }
  return name => {
    const value = cleanText(values.get(name));
    return value === undefined || noAddress.has(value) ? undefined : value;
  };
}
