import type {Tree} from './tree.ts';

/** SCSI devices are host:channel:target:lun; the host's number is given anew at each boot. */
const scsiDevice = /\/\d+:(\d+:\d+:\d+)\//;

/**
 * Where a disk is plugged in, in words that are the same at each boot; `device` is its path below /sys/devices. Undefined where only the order of
 * discovery would tell.
 */
export async function readDiskPath(
  tree: Tree,
  name: string,
  {device, pciAddress}: {readonly device: string; readonly pciAddress: string | undefined},
): Promise<string | undefined> {
  if (pciAddress === undefined) return undefined;
  const controller = `pci-${pciAddress}`;
  if (name.startsWith('nvme')) {
    const namespace = await tree.count(`/sys/block/${name}/nsid`);
    return `${controller}-nvme-${namespace ?? 1}`;
  }
  const [ata, port] = /^.*\/(ata\d+)(?=\/)/.exec(device) ?? [];
  if (ata && port) {
    const number = await tree.count(`${ata}/ata_port/${port}/port_no`);
    return number === undefined ? undefined : `${controller}-ata-${number}`;
  }
  const [end, endName] = /^.*\/(end_device-[\d:]+)(?=\/)/.exec(device) ?? [];
  if (end && endName) {
    const at = `${end}/sas_device/${endName}`;
    const [bay, enclosure] = await Promise.all([
      tree.count(`${at}/bay_identifier`),
      tree.text(`${at}/enclosure_identifier`),
    ]);
    const shelf = enclosure === undefined ? '' : `-${enclosure.replace(/^0x/, '')}`;
    return bay === undefined ? undefined : `${controller}-sas${shelf}-bay-${bay}`;
  }
  const address = scsiDevice.exec(device)?.[1];
  if (address !== undefined) return `${controller}-scsi-${address}`;
  return device.includes('/virtio') ? controller : undefined;
}
