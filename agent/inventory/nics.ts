import {networkInterfaces} from 'node:os';
import type {NicJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Tools} from '../run-command.ts';
import type {Found, Source} from './collector.ts';
import {hexDigits, pciAddressOf, readPciDevice} from './pci.ts';
import type {Tree} from './tree.ts';

const nicCountMax = 256;
const addressCountMax = 64;
const ethtoolTimeoutMs = 3000;
/** ARPHRD_INFINIBAND of linux/if_arp.h. */
const infiniband = 32;
/** NET_ADDR_PERM of linux/netdevice.h: the address is the one that the hardware has. */
const permanentAddress = 0;

export async function collectNics({tree, tools, isOwnMachine}: Source): Promise<Found> {
  const names = (await listNics(tree)).slice(0, nicCountMax);
  const addresses = isOwnMachine ? networkInterfaces() : {};
  return {
    nics: await Promise.all(
      names.map(async name => ({
        ...(await readNic(tree, tools, name)),
        ...compact<NicJson>({
          ipAddresses: (addresses[name] ?? [])
            .map(({address}) => address)
            .slice(0, addressCountMax),
        }),
      })),
    ),
  };
}

/** Interfaces with hardware behind them: no loopback, bridges, bonds or tunnels. */
export async function listNics(tree: Tree): Promise<readonly string[]> {
  const names = await tree.names('/sys/class/net');
  const isDevice = await Promise.all(
    names.map(name => tree.exists(`/sys/class/net/${name}/device`)),
  );
  return names.filter((_, index) => isDevice[index]);
}

async function readNic(tree: Tree, tools: Tools, name: string): Promise<NicJson> {
  const at = `/sys/class/net/${name}`;
  const text = (path: string) => tree.text(`${at}/${path}`);
  const pciAddress = await pciAddressOf(tree, at);
  const [mac, permanent, driver, firmware, speed, best, carrier, mtu, type, pci, vendor, device] =
    await Promise.all([
      text('address'),
      readPermanentMac(tree, name, tools),
      tree.linkName(`${at}/device/driver`),
      readFirmwareVersion(tools, name),
      text('speed'),
      readBestSpeed(tools, name),
      text('carrier'),
      tree.count(`${at}/mtu`),
      typeOf(tree, name),
      pciAddress === undefined ? undefined : readPciDevice(tree, pciAddress),
      text('device/vendor'),
      text('device/device'),
    ]);
  // The kernel gives -1, or an error, while the link is down.
  const speedMbps = Number(speed ?? 0);
  return compact<NicJson>({
    name,
    macAddress: mac?.toLowerCase(),
    permanentMacAddress: permanent,
    driver,
    firmwareVersion: firmware,
    pciAddress,
    speedMbps: Number.isInteger(speedMbps) && speedMbps > 0 ? speedMbps : undefined,
    link: carrier === '1' ? true : undefined,
    mtu,
    vendorId: pci?.vendorId ?? hexDigits(vendor),
    deviceId: pci?.deviceId ?? hexDigits(device),
    type,
    speedMbpsMax: best,
  });
}

const macAddress = /\b[\da-f]{2}(?::[\da-f]{2}){5}\b/i;

/**
 * The address that the vendor burnt in. The kernel says whether the current one is it; a bonded interface keeps its own in another
 * file; otherwise ethtool asks the driver.
 */
export async function readPermanentMac(
  tree: Tree,
  name: string,
  tools?: Tools,
): Promise<string | undefined> {
  const at = `/sys/class/net/${name}`;
  const bonded = await tree.text(`${at}/bonding_slave/perm_hwaddr`);
  if (bonded !== undefined) return bonded.toLowerCase();
  if ((await tree.count(`${at}/addr_assign_type`)) === permanentAddress)
    return (await tree.text(`${at}/address`))?.toLowerCase();
  const told = await tools?.run('ethtool', ['-P', name], ethtoolTimeoutMs).catch(() => undefined);
  const found = macAddress.exec(told ?? '')?.[0]?.toLowerCase();
  return found === '00:00:00:00:00:00' ? undefined : found;
}

async function readFirmwareVersion(tools: Tools, name: string): Promise<string | undefined> {
  const told = await tools.run('ethtool', ['-i', name], ethtoolTimeoutMs).catch(() => undefined);
  const version = /^firmware-version:[ \t]*(.+)$/m.exec(told ?? '')?.[1]?.trim();
  return version === 'N/A' ? undefined : version;
}

/** The fastest mode that the NIC and, where ethtool knows them, its link partner have in common. */
async function readBestSpeed(tools: Tools, name: string): Promise<number | undefined> {
  const told = await tools.run('ethtool', [name], ethtoolTimeoutMs).catch(() => undefined);
  const best = ['Supported', 'Link partner advertised'].flatMap(
    side => fastestMode(told ?? '', `${side} link modes`) ?? [],
  );
  return best.length > 0 ? Math.min(...best) : undefined;
}

/** "Supported link modes:   100baseT/Full" and the lines that go on with it, which have no name of their own. */
export function fastestMode(text: string, title: string): number | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex(line => line.trim().startsWith(`${title}:`));
  if (start < 0) return undefined;
  const next = lines.findIndex((line, index) => index > start && line.includes(':'));
  const modes = lines.slice(start, next < 0 ? undefined : next).join(' ');
  const speeds = [...modes.matchAll(/\b(\d{1,7})base/g)].map(match => Number(match[1]));
  return speeds.length > 0 ? Math.max(...speeds) : undefined;
}

async function typeOf(tree: Tree, name: string): Promise<string> {
  const at = `/sys/class/net/${name}`;
  if ((await tree.count(`${at}/type`)) === infiniband) return 'infiniband';
  if (await tree.exists(`${at}/wireless`)) return 'wireless';
  const path = await tree.resolve(`${at}/device`);
  return path?.includes('/usb') ? 'usb' : 'ethernet';
}
