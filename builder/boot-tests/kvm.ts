import {access, constants} from 'node:fs/promises';
import {runProgram} from '../process.ts';
import type {Accelerator} from './qemu.ts';

const probeLimitMs = 5000;

/** Its firmware greets on the serial port: the processor has then really run something. */
const probeArguments = [
  ...['-accel', 'kvm', '-cpu', 'host', '-machine', 'q35', '-m', '64M', '-nodefaults'],
  ...['-nographic', '-serial', 'stdio', '-monitor', 'none', '-no-reboot'],
];

/**
 * Whether KVM works here, found out by running a machine: on some hosts /dev/kvm opens and then hangs. The probe is a child process
 * that may hang for good; nobody waits for it longer than 5 s.
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
    if (line.includes('SeaBIOS')) greeted.resolve(true);
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
