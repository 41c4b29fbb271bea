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
  return {
    pciDevices: await Promise.all(
      addresses.map(async address => ({
        ...(await readPciDevice(tree, address)),
        ...(await readLink(tree, address)),
      })),
    ),
  };
}

/** The link of a PCIe device. The best that it can be is what the device and the port above it have in common: a slot may be narrower than a card. */
async function readLink(tree: Tree, address: string): Promise<PciDeviceJson> {
  const at = `${devices}/${address}`;
  const port = (await tree.resolve(at))?.match(pciAddress)?.at(-2);
  const [speed, width, ...capabilities] = await Promise.all([
    linkSpeed(tree, `${at}/current_link_speed`),
    linkWidth(tree, `${at}/current_link_width`),
    linkSpeed(tree, `${at}/max_link_speed`),
    linkWidth(tree, `${at}/max_link_width`),
    port === undefined ? undefined : linkSpeed(tree, `${devices}/${port}/max_link_speed`),
    port === undefined ? undefined : linkWidth(tree, `${devices}/${port}/max_link_width`),
  ]);
  const [ownSpeed, ownWidth, portSpeed = ownSpeed, portWidth = ownWidth] = capabilities;
  return compact<PciDeviceJson>({
    linkSpeedGts: speed,
    linkSpeedGtsMax: ownSpeed && Math.min(ownSpeed, portSpeed ?? ownSpeed),
    linkWidth: width,
    linkWidthMax: ownWidth && Math.min(ownWidth, portWidth ?? ownWidth),
  });
}

/** "8.0 GT/s PCIe", before Linux 5.7 "8 GT/s"; "Unknown" without a link. */
async function linkSpeed(tree: Tree, path: string): Promise<number | undefined> {
  const number = /^(\d{1,3}(?:\.\d)?) GT\/s/.exec((await tree.text(path)) ?? '')?.[1];
  return number === undefined ? undefined : Number(number);
}

/** 0 without a link, and 255 when the device does not know. */
async function linkWidth(tree: Tree, path: string): Promise<number | undefined> {
  const width = await tree.count(path);
  return width === undefined || width === 0 || width > 32 ? undefined : width;
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
