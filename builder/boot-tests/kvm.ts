import {access, constants} from 'node:fs/promises';
import {runProgram} from '../process.ts';
import {type Accelerator, uefiCode, uefiVariables} from './qemu.ts';

const probeLimitMs = 15_000;

/**
 * UEFI firmware, up to the choice of what to boot: by then the processor has run with paging in 64-bit mode. A BIOS greets from real mode, which on
 * some hosts is all that works: they ran SeaBIOS and stopped at the first kernel.
 */
const probeArguments = [
  ...['-accel', 'kvm', '-cpu', 'host', '-machine', 'q35', '-m', '256M', '-nodefaults'],
  ...['-nographic', '-serial', 'stdio', '-monitor', 'none', '-no-reboot'],
  ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${uefiCode}`],
  // What the firmware writes into its variables goes into a file that QEMU throws away.
  ...['-drive', `if=pflash,format=raw,unit=1,snapshot=on,file=${uefiVariables}`],
];

/**
 * Whether KVM works here, found out by running a machine: on some hosts /dev/kvm opens and then hangs. The probe is a child process
 * that may hang for good; nobody waits for it longer than 15 s. Without UEFI firmware nothing is proved, and the answer is tcg.
 */
export async function probeAccelerator(
  wish: 'auto' | Accelerator,
  signal: AbortSignal,
): Promise<Accelerator> {
  if (wish !== 'auto') return wish;
  const usable = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  return usable && (await runsWithKvm(signal)) ? 'kvm' : 'tcg';
}

async function runsWithKvm(signal: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const greeted = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => greeted.resolve(false), probeLimitMs);
  const onLine = (line: string) => {
    if (line.includes('BdsDxe')) greeted.resolve(true);
    if (line.includes('KVM internal error')) greeted.resolve(false);
  };
  runProgram('qemu-system-x86_64', probeArguments, {
    signal: AbortSignal.any([signal, over.signal]),
    onLine,
  }).then(
    () => greeted.resolve(false),
    () => greeted.resolve(false),
  );
  const works = await greeted.promise;
  clearTimeout(timer);
  over.abort();
  return works;
}
