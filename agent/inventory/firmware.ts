import type {Firmware_SecureBootJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {Found, Source} from './collector.ts';
import {readFirmware} from './smbios-hardware.ts';
import type {Tree} from './tree.ts';

/** EFI_GLOBAL_VARIABLE of the UEFI specification, 3.3. */
const globalVariable = '8be4df61-93ca-11d2-aa0d-00e098032b8c';

export async function collectFirmware({tree, smbios}: Source): Promise<Found> {
  const [mode, secureBoot] = await Promise.all([readFirmwareMode(tree), readSecureBoot(tree)]);
  return {
    firmware: {
      ...(smbios && readFirmware(smbios)),
      mode: mode === 'uefi' ? 'MODE_UEFI' : 'MODE_BIOS',
      secureBoot,
    },
  };
}

export async function readFirmwareMode(tree: Tree): Promise<'bios' | 'uefi'> {
  return (await tree.exists('/sys/firmware/efi')) ? 'uefi' : 'bios';
}

/** Unspecified when the variables cannot be read, as when efivarfs is not mounted. */
async function readSecureBoot(tree: Tree): Promise<Firmware_SecureBootJson> {
  if ((await readFirmwareMode(tree)) === 'bios') return 'SECURE_BOOT_UNSUPPORTED';
  const variables = '/sys/firmware/efi/efivars';
  if ((await tree.names(variables)).length === 0) return 'SECURE_BOOT_UNSPECIFIED';
  // Four bytes of attributes come before the value (efivarfs).
  const value = async (name: string) =>
    (await tree.bytes(`${variables}/${name}-${globalVariable}`))?.[4];
  const [secureBoot, setupMode] = await Promise.all([value('SecureBoot'), value('SetupMode')]);
  if (secureBoot === undefined) return 'SECURE_BOOT_UNSUPPORTED';
  if (secureBoot === 1) return 'SECURE_BOOT_ENABLED';
  return setupMode === 1 ? 'SECURE_BOOT_SETUP_MODE' : 'SECURE_BOOT_DISABLED';
}
