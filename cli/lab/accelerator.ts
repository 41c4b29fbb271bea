import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';

const probeLimitMs = 15_000;
const firmware = '/usr/share/OVMF/OVMF_CODE_4M.fd';
const variables = '/usr/share/OVMF/OVMF_VARS_4M.fd';

/**
 * `kvm` only when a child process has run UEFI firmware with it, which is 64-bit code: on some hosts /dev/kvm opens and then hangs, or runs a BIOS
 * and stops at the first kernel. A hanging child can be left behind.
 */
export async function pickAccelerator(wanted: 'auto' | 'tcg' | 'kvm'): Promise<'tcg' | 'kvm'> {
  if (wanted !== 'auto') return wanted;
  return existsSync('/dev/kvm') && (await runsFirmware()) ? 'kvm' : 'tcg';
}

function runsFirmware(): Promise<boolean> {
  return new Promise(resolve => {
    const machine = [
      '-machine',
      'q35',
      '-accel',
      'kvm',
      '-cpu',
      'host',
      '-m',
      '256',
      '-net',
      'none',
      '-drive',
      `if=pflash,format=raw,unit=0,readonly=on,file=${firmware}`,
      '-drive',
      `if=pflash,format=raw,unit=1,snapshot=on,file=${variables}`,
    ];
    const consoles = ['-nographic', '-serial', 'stdio', '-monitor', 'none'];
    const child = execFile('setpriv', [
      '--pdeathsig=KILL',
      '--',
      'qemu-system-x86_64',
      ...machine,
      ...consoles,
    ]);
    let seen = '';
    const finish = (works: boolean) => {
      clearTimeout(limit);
      child.kill('SIGKILL');
      // One that hangs in the kernel never ends: it must not hold this process.
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(works);
    };
    const limit = setTimeout(() => finish(false), probeLimitMs);
    child.once('error', () => finish(false));
    child.once('exit', () => finish(false));
    child.stdout?.on('data', (data: string) => {
      seen = (seen + data).slice(-4096);
      if (seen.includes('BdsDxe')) finish(true);
    });
  });
}
