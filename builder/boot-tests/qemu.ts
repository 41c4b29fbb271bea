import {access, copyFile} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import path from 'node:path';

export type Firmware = 'bios' | 'uefi';
export type Accelerator = 'kvm' | 'tcg';

export const uefiCode = '/usr/share/OVMF/OVMF_CODE_4M.fd';
export const uefiVariables = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const megabyte = 1024 * 1024;

/** What boot tests need on this host: program or file, and the Debian package that brings it. */
const needs: readonly {path: string; package: string; firmware?: Firmware}[] = [
  {path: '/usr/bin/qemu-system-x86_64', package: 'qemu-system-x86'},
  {path: '/usr/lib/ipxe/qemu/pxe-virtio.rom', package: 'ipxe-qemu'},
  {path: uefiCode, package: 'ovmf', firmware: 'uefi'},
];

/** As a sentence; undefined when images can be tested with these firmwares. */
export async function findMissingForBootTests(
  firmwares: readonly Firmware[],
): Promise<string | undefined> {
  const missing: string[] = [];
  for (const need of needs) {
    const wanted = need.firmware ? firmwares.includes(need.firmware) : firmwares.length > 0;
    const found = await access(need.path).then(
      () => true,
      () => false,
    );
    if (wanted && !found) missing.push(need.package);
  }
  return missing.length === 0
    ? undefined
    : `Cannot boot-test images: install ${missing.join(', ')}`;
}

/**
 * A diskless machine on QEMU's user network that boots by its network card's own iPXE. Needs no rights. The serial port, which also
 * carries the firmware's messages, is standard output.
 */
export async function qemuArguments({
  firmware,
  accelerator,
  memoryBytes,
  networkCard,
  macAddress,
  scriptUrl,
  directory,
}: {
  firmware: Firmware;
  accelerator: Accelerator;
  memoryBytes: number;
  networkCard: 'virtio-net-pci' | 'e1000e';
  macAddress: string;
  scriptUrl: string;
  /** For the copy of the UEFI variables. */
  directory: string;
}): Promise<string[]> {
  return [
    ...machineArguments(accelerator, memoryBytes),
    ...['-netdev', `user,id=net0,bootfile=${scriptUrl}`],
    ...['-device', `${networkCard},netdev=net0,mac=${macAddress},bootindex=1`],
    ...(firmware === 'uefi' ? await uefiArguments(directory) : []),
  ];
}

const diskMemoryBytes = 1024 * megabyte;

/**
 * A machine that boots from its disk, which is never written to. Raw, whatever its content says it is: a format that names other files would be let
 * read them. Its network leads nowhere.
 */
export async function diskArguments({
  firmware,
  accelerator,
  disk,
  directory,
}: {
  firmware: Firmware;
  accelerator: Accelerator;
  disk: string;
  directory: string;
}): Promise<string[]> {
  return [
    ...machineArguments(accelerator, diskMemoryBytes),
    ...['-drive', `if=none,id=disk0,format=raw,snapshot=on,file=${disk.replaceAll(',', ',,')}`],
    ...['-device', 'ide-hd,drive=disk0,bootindex=1'],
    ...['-netdev', 'user,id=net0,restrict=on', '-device', 'virtio-net-pci,netdev=net0,romfile='],
    ...(firmware === 'uefi' ? await uefiArguments(directory) : []),
  ];
}

function machineArguments(accelerator: Accelerator, memoryBytes: number): string[] {
  return [
    accelerator === 'kvm'
      ? ['-accel', 'kvm', '-cpu', 'host']
      : ['-accel', 'tcg,thread=multi', '-cpu', 'max'],
    ['-machine', 'q35'],
    ['-m', `${Math.ceil(memoryBytes / megabyte)}M`],
    ['-smp', `${Math.min(2, availableParallelism())}`],
    ['-nodefaults', '-no-reboot', '-nographic', '-serial', 'stdio', '-monitor', 'none'],
    ['-sandbox', 'on,elevateprivileges=deny,spawn=deny'],
    ['-device', 'virtio-rng-pci'],
  ].flat();
}

/** A fresh copy of the variables: what one machine writes into them must not reach the next. */
async function uefiArguments(directory: string): Promise<string[]> {
  const variables = path.join(directory, 'uefi-variables.fd');
  await copyFile(uefiVariables, variables);
  return [
    '-drive',
    `if=pflash,format=raw,unit=0,readonly=on,file=${uefiCode}`,
    '-drive',
    `if=pflash,format=raw,unit=1,file=${variables}`,
  ];
}
