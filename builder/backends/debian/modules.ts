import {readFile} from 'node:fs/promises';
import path from 'node:path';
import type {Tree, TreeEntry} from '../../cpio.ts';
import {type Kernel, type KernelVariant, type ModuleLists, readModuleLists} from './kernel.ts';

// Paths below the kernel's module folder; what ends in "/" means everything below it. What a kernel does not have is left out.
const everywhere = [
  'drivers/virtio/',
  'drivers/block/loop.ko',
  'drivers/block/virtio_blk.ko',
  'drivers/block/xen-blkfront.ko',
  'drivers/char/hw_random/',
  'drivers/hv/',
  'drivers/net/virtio_net.ko',
  'drivers/net/vmxnet3/',
  'drivers/net/hyperv/',
  'drivers/net/xen-netfront.ko',
  'drivers/nvme/host/',
  'drivers/scsi/sd_mod.ko',
  'drivers/scsi/hv_storvsc.ko',
  'drivers/scsi/virtio_scsi.ko',
  'drivers/scsi/vmw_pvscsi.ko',
  'drivers/watchdog/i6300esb.ko',
  'drivers/watchdog/wdat_wdt.ko',
  'fs/efivarfs/',
  'fs/overlayfs/',
  'fs/squashfs/',
];

const network: Readonly<Record<KernelVariant, readonly string[]>> = {
  virtual: [
    'drivers/net/ethernet/amazon/',
    'drivers/net/ethernet/google/',
    'drivers/net/ethernet/mellanox/mlx4/',
    'drivers/net/ethernet/mellanox/mlx5/',
    'drivers/net/ethernet/microsoft/',
    'drivers/net/ethernet/intel/ixgbevf/',
  ],
  full: ['drivers/net/ethernet/', 'drivers/net/phy/', 'drivers/net/mdio/'],
};

// What the inventory of a real server needs: disks behind every usual controller, USB for keyboards and disks, IPMI, sensors, memory errors, TPM.
const hardware = [
  'drivers/ata/',
  'drivers/char/ipmi/',
  'drivers/char/tpm/',
  'drivers/edac/',
  'drivers/hid/hid.ko',
  'drivers/hid/hid-generic.ko',
  'drivers/hid/usbhid/',
  'drivers/hwmon/coretemp.ko',
  'drivers/hwmon/k10temp.ko',
  'drivers/hwmon/nct6775.ko',
  'drivers/hwmon/acpi_power_meter.ko',
  'drivers/i2c/busses/i2c-i801.ko',
  'drivers/message/fusion/',
  'drivers/scsi/',
  'drivers/usb/host/',
  'drivers/usb/storage/',
  'drivers/watchdog/iTCO_wdt.ko',
  'drivers/watchdog/hpwdt.ko',
  'drivers/watchdog/sp5100_tco.ko',
];

export type ModuleUse = 'registration' | 'machine';

/** The modules of an initrd: all for the registration image, which looks at the hardware; only network and root for a machine's. */
export function moduleSelection(variant: KernelVariant, use: ModuleUse): readonly string[] {
  const looksAround = variant === 'full' && use === 'registration';
  return [...everywhere, ...network[variant], ...(looksAround ? hardware : [])];
}

/** The selected modules, what they depend on, and the lists of modprobe cut down to them. */
export async function moduleTree(
  kernel: Kernel,
  selection: readonly string[],
): Promise<{readonly tree: Tree; readonly modules: readonly string[]}> {
  const lists = await readModuleLists(kernel);
  const modules = selectModules(lists, selection);
  const place = `usr/lib/modules/${kernel.release}`;
  const tree = new Map<string, TreeEntry>();
  for (const module of modules)
    tree.set(`${place}/${module}`, {
      type: 'file',
      mode: 0o644,
      source: path.join(kernel.modules, module),
    });
  for (const [name, text] of Object.entries(cutLists(lists, modules)))
    tree.set(`${place}/${name}`, {type: 'file', mode: 0o644, content: Buffer.from(text)});
  for (const name of ['modules.builtin', 'modules.order'])
    tree.set(`${place}/${name}`, {
      type: 'file',
      mode: 0o644,
      content: await readFile(path.join(kernel.modules, name)),
    });
  return {tree, modules};
}

/** Sorted paths as modules.dep has them ("kernel/drivers/…/x.ko"), with hard and soft dependencies; `''` selects all. */
export function selectModules(lists: ModuleLists, selection: readonly string[]): string[] {
  const dependencies = parseDependencies(lists.dependencies);
  const byName = new Map([...dependencies.keys()].map(file => [moduleName(file), file]));
  const soft = parseSoftDependencies(lists.softDependencies);

  const chosen = new Set<string>();
  const visit = (file: string) => {
    if (chosen.has(file)) return;
    chosen.add(file);
    for (const needed of dependencies.get(file) ?? []) visit(needed);
    for (const name of soft.get(moduleName(file)) ?? []) {
      const needed = byName.get(name);
      if (needed) visit(needed);
    }
  };
  for (const file of dependencies.keys())
    if (selection.some(wanted => matches(file, `kernel/${wanted}`))) visit(file);
  return [...chosen].sort();
}

const matches = (file: string, wanted: string): boolean =>
  wanted.endsWith('/') ? file.startsWith(wanted) : file === wanted;

function cutLists(
  lists: ModuleLists,
  modules: readonly string[],
): Readonly<Record<string, string>> {
  const files = new Set(modules);
  const names = new Set(modules.map(moduleName));
  const keep = (text: string, wanted: (line: string) => boolean) =>
    text
      .split('\n')
      .filter(line => line !== '' && wanted(line))
      .map(line => `${line}\n`)
      .join('');
  return {
    'modules.dep': keep(lists.dependencies, line => files.has(line.slice(0, line.indexOf(':')))),
    'modules.alias': keep(lists.aliases, line => names.has(line.split(' ').at(-1) ?? '')),
    'modules.softdep': keep(lists.softDependencies, line => names.has(line.split(' ')[1] ?? '')),
  };
}

/** Lines of modules.dep: "kernel/a.ko: kernel/b.ko kernel/c.ko". */
function parseDependencies(text: string): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const line of text.split('\n')) {
    const cut = line.indexOf(':');
    if (cut > 0)
      found.set(
        line.slice(0, cut),
        line
          .slice(cut + 1)
          .split(' ')
          .filter(word => word !== ''),
      );
  }
  return found;
}

/** Lines of modules.softdep: "softdep a pre: b c post: d". */
function parseSoftDependencies(text: string): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const line of text.split('\n')) {
    const [keyword, name, ...words] = line.split(' ');
    if (keyword !== 'softdep' || name === undefined) continue;
    const wanted = words.filter(word => word !== '' && !word.endsWith(':'));
    found.set(name, [...(found.get(name) ?? []), ...wanted.map(word => word.replaceAll('-', '_'))]);
  }
  return found;
}

/** As the kernel names it: "i2c-i801.ko" is "i2c_i801". */
const moduleName = (file: string): string =>
  path.basename(file).replace(/\.ko$/, '').replaceAll('-', '_');
