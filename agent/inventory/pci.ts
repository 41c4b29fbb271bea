import type {PciDeviceJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';
import type {Tree} from './tree.ts';

const devices = '/sys/bus/pci/devices';
const deviceCountMax = 4096;
/** domain:bus:device.function */
const pciAddress = /[\da-f]{4,8}:[\da-f]{2}:[\da-f]{2}\.[0-7]/g;

export async function collectPciDevices({tree}: Source): Promise<Found> {
  const addresses = (await tree.names(devices)).slice(0, deviceCountMax);
  return {pciDevices: await Promise.all(addresses.map(address => readPciDevice(tree, address)))};
}

export async function readPciDevice(tree: Tree, address: string): Promise<PciDeviceJson> {
  const at = `${devices}/${address}`;
  const number = async (name: string) => hexDigits(await tree.text(`${at}/${name}`));
  const [vendorId, deviceId, subsystemVendorId, subsystemDeviceId, classId, driver, node] =
    await Promise.all([
      number('vendor'),
      number('device'),
      number('subsystem_vendor'),
      number('subsystem_device'),
      number('class'),
      tree.linkName(`${at}/driver`),
      tree.text(`${at}/numa_node`),
    ]);
  const numaNode = Number(node ?? Number.NaN);
  return compact<PciDeviceJson>({
    address,
    vendorId,
    deviceId,
    subsystemVendorId,
    subsystemDeviceId,
    classId,
    driver,
    numaNode: Number.isInteger(numaNode) ? numaNode : undefined,
  });
}

/** The PCI device that a block or network device hangs on: the last one on its path below /sys/devices. */
export async function pciAddressOf(tree: Tree, devicePath: string): Promise<string | undefined> {
  return (await tree.resolve(devicePath))?.match(pciAddress)?.at(-1);
}

/** "0x8086" as "8086". */
export function hexDigits(text: string | undefined): string | undefined {
  return /^0x([\da-f]{1,8})$/.exec(text ?? '')?.[1];
}
