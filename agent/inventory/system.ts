import type {
  BaseboardJson,
  ChassisJson,
  SystemJson,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {readFile} from '../files.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';
import {parseSmbios, type SmbiosTable} from './smbios.ts';
import {readBaseboard, readChassis, readSystem} from './smbios-hardware.ts';
import type {Tree} from './tree.ts';

const tables = '/sys/firmware/dmi/tables';

/** Undefined when the kernel offers no tables. */
export async function readSmbios(tree: Tree): Promise<SmbiosTable | undefined> {
  const [entryPoint, table] = await Promise.all([
    tree.bytes(`${tables}/smbios_entry_point`),
    readFile(tree.path(`${tables}/DMI`)).catch(() => undefined),
  ]);
  return table && parseSmbios(entryPoint, table);
}

/** From the SMBIOS tables, or from the fields that the kernel took from them where it hides the tables. */
export async function collectSystem({tree, smbios}: Source): Promise<Found> {
  if (!smbios) return readDmiFields(tree);
  return present({
    system: readSystem(smbios),
    baseboard: readBaseboard(smbios),
    chassis: readChassis(smbios),
  });
}

async function readDmiFields(tree: Tree): Promise<Found> {
  const field = (name: string) => tree.text(`/sys/class/dmi/id/${name}`);
  const [system, baseboard, chassis] = await Promise.all([
    readFields<SystemJson>(field, {
      manufacturer: 'sys_vendor',
      product: 'product_name',
      version: 'product_version',
      serial: 'product_serial',
      uuid: 'product_uuid',
      sku: 'product_sku',
      family: 'product_family',
    }),
    readFields<BaseboardJson>(field, {
      manufacturer: 'board_vendor',
      product: 'board_name',
      version: 'board_version',
      serial: 'board_serial',
      assetTag: 'board_asset_tag',
    }),
    readFields<ChassisJson>(field, {
      manufacturer: 'chassis_vendor',
      version: 'chassis_version',
      serial: 'chassis_serial',
      assetTag: 'chassis_asset_tag',
    }),
  ]);
  return present({system, baseboard, chassis});
}

async function readFields<T extends Record<string, string>>(
  field: (name: string) => Promise<string | undefined>,
  files: {readonly [K in keyof T]: string},
): Promise<T | undefined> {
  const entries = await Promise.all(
    Object.entries(files).map(async ([key, file]) => [key, await field(file)] as const),
  );
  const values = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  return Object.keys(values).length === 0 ? undefined : (values as T);
}

const present = (parts: {
  system: SystemJson | undefined;
  baseboard: BaseboardJson | undefined;
  chassis: ChassisJson | undefined;
}): Found => compact<Found>(parts);
