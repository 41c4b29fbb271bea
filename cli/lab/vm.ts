import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createWriteStream, existsSync} from 'node:fs';
import {copyFile, mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';

const ovmfCode = '/usr/share/OVMF/OVMF_CODE_4M.fd';
const ovmfVariables = '/usr/share/OVMF/OVMF_VARS_4M.fd';
const linesMax = 20_000;
const lineLengthMax = 4096;
const markerPollMs = 50;
const stopLimitMs = 5000;

export type VmOptions = {
  /** Names its files: `<folder>/<name>.log`, `<name>.vars.fd`. */
  readonly name: string;
  readonly firmware: 'bios' | 'uefi';
  /** Values of QEMU's -smbios: "type=1,manufacturer=Dell Inc.,serial=ABC1234". */
  readonly smbios: readonly string[];
  readonly macAddress: string;
  /** The network namespace and the tap in it; one tap serves one machine. */
  readonly namespace: string;
  readonly tap: string;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly accelerator: 'tcg' | 'kvm';
  readonly folder: string;
  /** More of QEMU's command line. The NIC's network is called "n0". */
  readonly qemuArguments?: readonly string[];
  /** Every line of the serial console, without control characters. */
  readonly onLine?: (line: string) => void;
};

export type Vm = AsyncDisposable & {
  readonly pid: number | undefined;
  /** False after the guest has powered off. */
  isRunning(): boolean;
  /**
   * The first console line with this marker after the one that the call before found. The limit counts from now; an error quotes the
   * console's end.
   */
  waitFor(marker: string | RegExp, timeoutMs: number): Promise<string>;
  /** The last lines of the serial console. */
  tail(lines: number): string;
  /** Cuts the power, then turns the machine on again. */
  powerCycle(): Promise<void>;
  powerOff(): Promise<void>;
};

/**
 * A diskless machine that boots from the network, in QEMU. A reboot of the guest starts its firmware again. Its variables of UEFI
 * outlive a power cycle, not the object.
 */
export async function startVm(options: VmOptions): Promise<Vm> {
  const {name, firmware, folder} = options;
  await mkdir(folder, {recursive: true});
  const variables = join(folder, `${name}.vars.fd`);
  if (firmware === 'uefi') {
    if (!existsSync(ovmfCode))
      throw new Error(`Cannot start "${name}": no "${ovmfCode}" (Debian package ovmf)`);
    // A copy per machine: two of them would corrupt a shared one.
    await copyFile(ovmfVariables, variables);
  }
  const console = openConsole(join(folder, `${name}.log`), options.onLine);
  let child: ChildProcess;

  const powerOn = () => {
    child = spawn('setpriv', ['--pdeathsig=KILL', '--', ...command(options, variables)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    console.powerOn();
    child.once('error', error => console.read(`${error.message}\n`));
    child.stdout?.on('data', (data: Buffer) => console.read(data.toString('latin1')));
    child.stderr?.on('data', (data: Buffer) => console.read(data.toString()));
  };
  const isRunning = () =>
    child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const powerOff = async () => {
    if (!isRunning()) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    await ended;
    clearTimeout(kill);
  };
  powerOn();

  return {
    get pid() {
      return isRunning() ? child.pid : undefined;
    },
    isRunning,
    tail: console.tail,
    powerOff,
    async waitFor(marker, timeoutMs) {
      const deadlineMs = performance.now() + timeoutMs;
      for (;;) {
        const line = console.find(marker);
        if (line !== undefined) return line;
        if (performance.now() > deadlineMs || !isRunning())
          throw new Error(
            `Waited ${timeoutMs / 1000} s for ${String(marker)} on the console of "${name}"${isRunning() ? '' : ' (QEMU has ended)'}; its end:\n${console.tail(25)}`,
          );
        await delay(markerPollMs);
      }
    },
    async powerCycle() {
      await powerOff();
      powerOn();
    },
    async [Symbol.asyncDispose]() {
      await powerOff();
      await console.close();
    },
  };
}

function command(options: VmOptions, variables: string): readonly string[] {
  const {firmware, smbios, macAddress, namespace, tap, memoryMb, cpus, accelerator} = options;
  const {qemuArguments = []} = options;
  const accel = accelerator === 'tcg' ? ['tcg,thread=multi', 'max'] : ['kvm', 'host'];
  const uefi = [
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${ovmfCode}`],
    ...['-drive', `if=pflash,format=raw,unit=1,file=${variables}`],
  ];
  // UEFI: an empty ROM, so that the firmware's own PXE is used; BIOS: the ROM of ipxe-qemu.
  const nic = `virtio-net-pci,netdev=n0,mac=${macAddress},bootindex=1${firmware === 'uefi' ? ',romfile=' : ''}`;
  return [
    ...['ip', 'netns', 'exec', namespace, 'qemu-system-x86_64'],
    ...['-machine', 'q35', '-accel', accel[0] ?? '', '-cpu', accel[1] ?? ''],
    ...['-m', String(memoryMb), '-smp', String(cpus), '-rtc', 'base=utc'],
    ...['-nographic', '-serial', 'stdio', '-monitor', 'none', '-device', 'virtio-rng-pci'],
    ...(firmware === 'uefi' ? uefi : []),
    ...smbios.flatMap(value => ['-smbios', value]),
    ...['-netdev', `tap,id=n0,ifname=${tap},script=no,downscript=no`, '-device', nic],
    ...qemuArguments,
  ];
}

/** Keeps the console's lines, in memory up to a limit and in a file with seconds since power-on. */
function openConsole(path: string, onLine: VmOptions['onLine']) {
  const file = createWriteStream(path);
  const lines: string[] = [];
  let dropped = 0;
  let searched = 0;
  let partial = '';
  let startedMs = performance.now();

  const keep = (raw: string) => {
    const line = printable(raw);
    if (line === '') return;
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(2).padStart(8);
    file.write(`${seconds} ${line}\n`);
    lines.push(line);
    if (lines.length > linesMax) {
      lines.shift();
      dropped += 1;
    }
    onLine?.(line);
  };
  return {
    powerOn() {
      startedMs = performance.now();
      keep('--- power on ---');
    },
    read(text: string) {
      const parts = (partial + text).split(/[\r\n]/);
      partial = (parts.pop() ?? '').slice(-lineLengthMax);
      for (const part of parts) keep(part);
    },
    find(marker: string | RegExp): string | undefined {
      const matches = (line: string) =>
        typeof marker === 'string' ? line.includes(marker) : marker.test(line);
      const from = Math.max(0, searched - dropped);
      const index = lines.findIndex((line, position) => position >= from && matches(line));
      if (index < 0) return undefined;
      searched = index + dropped + 1;
      return lines[index];
    },
    tail: (count: number) => lines.slice(-count).join('\n'),
    async close() {
      keep(partial);
      file.end();
      await once(file, 'close');
    },
  };
}

/** Without terminal control sequences (ECMA-48 CSI) and what is not printable ASCII. */
const printable = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex
    .replaceAll(/\u001B\[[0-9;?=]*[A-Za-z]/g, '')
    .replaceAll(/[^\u0020-\u007E]/g, '')
    .trimEnd();
