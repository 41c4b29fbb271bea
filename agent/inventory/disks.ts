import type {DiskJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';
import {readDiskHealths} from './disk-health.ts';
import {readDiskPath} from './disk-path.ts';
import {pciAddressOf} from './pci.ts';
import {cleanText, type Tree} from './tree.ts';

const diskCountMax = 1024;
/** /sys/block/<disk>/size counts these, whatever the disk's own block size. */
const sectorBytes = 512n;
/** Block devices that are no disks: loops, RAM, device mapper, arrays, optical and floppy drives, hidden paths of NVMe multipath. */
const notDisks = /^(loop|ram|zram|dm-|md|sr|fd|nbd|nvme\d+c\d+n\d+)/;

/** Those that have no health of their own to tell. */
const unasked: ReadonlySet<string> = new Set(['usb', 'mmc', 'virtio', 'fc', 'iscsi']);

export async function collectDisks({tree, tools}: Source): Promise<Found> {
  const names = await listDisks(tree);
  const disks = await Promise.all(names.map(name => readDisk(tree, name)));
  const asked = disks.filter(
    ({removable, transport}) => !removable && !unasked.has(transport ?? ''),
  );
  const healths = await readDiskHealths(
    tree,
    tools,
    asked.flatMap(({name}) => name ?? []),
  );
  return {
    disks: disks.map(disk => {
      const health = healths.get(disk.name ?? '');
      return health ? {...disk, health} : disk;
    }),
  };
}

export async function listDisks(tree: Tree): Promise<readonly string[]> {
  const names = await tree.names('/sys/block');
  return names.filter(name => !notDisks.test(name)).slice(0, diskCountMax);
}

export async function readDisk(tree: Tree, name: string): Promise<DiskJson> {
  const at = `/sys/block/${name}`;
  const text = (path: string) => tree.text(`${at}/${path}`);
  const count = (path: string) => tree.count(`${at}/${path}`);
  const [path, sectors, vendor, model, wwn, rotational, removable, firmware, logical, physical] =
    await Promise.all([
      tree.resolve(at),
      text('size'),
      text('device/vendor'),
      text('device/model'),
      text('wwid').then(found => found ?? text('device/wwid')),
      count('queue/rotational'),
      count('removable'),
      text('device/firmware_rev').then(found => found ?? text('device/rev')),
      count('queue/logical_block_size'),
      count('queue/physical_block_size'),
    ]);
  const pciAddress = await pciAddressOf(tree, at);
  return compact<DiskJson>({
    name,
    model: printModel(vendor, model),
    serial: await readDiskSerial(tree, name),
    wwn: /^(naa|eui|nvme|uuid)\./.test(wwn ?? '') ? wwn : undefined,
    sizeBytes: /^\d+$/.test(sectors ?? '') ? String(BigInt(sectors ?? 0) * sectorBytes) : undefined,
    rotational: rotational === 1 ? true : undefined,
    removable: removable === 1 ? true : undefined,
    transport: transportOf(name, path ?? '', vendor),
    firmware,
    logicalBlockBytes: logical,
    physicalBlockBytes: physical,
    pciAddress,
    path: await readDiskPath(tree, name, {device: path ?? '', pciAddress}),
  });
}

/** NVMe and virtio say it in a file; SCSI and SATA in page 0x80 of the vital product data (SPC-4, 7.8.15). */
export async function readDiskSerial(tree: Tree, name: string): Promise<string | undefined> {
  const at = `/sys/block/${name}`;
  const plain = (await tree.text(`${at}/device/serial`)) ?? (await tree.text(`${at}/serial`));
  if (plain !== undefined) return plain;
  const page = await tree.bytes(`${at}/device/vpd_pg80`);
  if (!page || page.length < 4 || page[1] !== 0x80) return undefined;
  return cleanText(page.subarray(4, 4 + page.readUInt16BE(2)).toString('latin1'));
}

/** SATA disks have the vendor "ATA": the model holds the maker's own name. A virtio disk's vendor is its number. */
function printModel(vendor: string | undefined, model: string | undefined): string | undefined {
  if (model === undefined) return undefined;
  return vendor === undefined || vendor === 'ATA' || vendor.startsWith('0x')
    ? model
    : cleanText(`${vendor} ${model}`);
}

function transportOf(name: string, path: string, vendor: string | undefined): string | undefined {
  if (name.startsWith('nvme')) return 'nvme';
  if (name.startsWith('mmcblk')) return 'mmc';
  if (name.startsWith('vd')) return 'virtio';
  if (path.includes('/usb')) return 'usb';
  if (/\/ata\d+\//.test(path) || vendor === 'ATA') return 'sata';
  if (path.includes('/end_device-')) return 'sas';
  if (path.includes('/rport-')) return 'fc';
  if (path.includes('/session')) return 'iscsi';
  if (path.includes('/virtio')) return 'virtio';
  return path.includes('/host') ? 'scsi' : undefined;
}
