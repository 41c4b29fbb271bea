import {type BootFile, parseBootFile} from '@muster/agent/boot-file.ts';
import {pause} from '@muster/agent/waits.ts';
import {sourceAddressFor} from './addresses.ts';
import {fetchFromEdge, readCpioFile} from './boot-client.ts';
import type {SimulatedHardware} from './hardware/machine.ts';
import {IpxeError, type IpxeHost, runIpxe} from './ipxe-script.ts';

const retriesMax = 20;
/** iPXE waits no longer than a minute when it is told to come back. */
const retryAfterSecondsMax = 60;
const nicsNamedMax = 4;

export type Booted = {
  readonly boot: BootFile;
  readonly imageId: string;
};

export type BootingMachine = {
  readonly edgeUrl: string;
  readonly machine: Pick<
    SimulatedHardware,
    'uuid' | 'serial' | 'macs' | 'product' | 'manufacturer' | 'assetTag'
  > & {readonly firmwareMode: string};
  readonly address: string;
  /** Waits before each request: for machines that answer late. */
  readonly delayMs: number;
  readonly signal: AbortSignal;
};

/**
 * From power-on to the start of the kernel: the bootstrap, the machine's script and what it names. Undefined when the script leaves for the
 * local disk. Throws when the machine is turned off meanwhile.
 */
export async function bootOverNetwork(booting: BootingMachine): Promise<Booted | undefined> {
  const {signal, edgeUrl} = booting;
  const localAddress = sourceAddressFor(new URL(edgeUrl).hostname, booting.address);
  let archive: Buffer | undefined;
  let imageId = '';

  const get = async (path: string, partly = false): Promise<Buffer> => {
    const url = new URL(path, edgeUrl);
    for (let attempt = 0; ; attempt++) {
      if (booting.delayMs > 0) await pause(booting.delayMs, signal);
      signal.throwIfAborted();
      const answer = await fetchFromEdge(url, {localAddress, partly, signal}).catch(
        (error: unknown) => {
          signal.throwIfAborted();
          throw new IpxeError(error instanceof Error ? error.message : String(error));
        },
      );
      if (answer.status === 200 || answer.status === 206) return answer.body;
      const {retryAfterSeconds} = answer;
      if (answer.status !== 503 || retryAfterSeconds === undefined || attempt >= retriesMax)
        throw new IpxeError(`HTTP status ${answer.status}`);
      await pause(Math.min(retryAfterSeconds, retryAfterSecondsMax) * 1000, signal);
    }
  };
  const host: IpxeHost = {
    fetchScript: async path => (await get(path)).toString('utf8'),
    async fetchImage(path) {
      const isToken = path.startsWith('/boot/token.cpio');
      const body = await get(path, !isToken);
      if (!isToken) return;
      archive = body;
      imageId = new URL(path, edgeUrl).searchParams.get('image') ?? '';
    },
    async sleep(seconds) {
      await pause(seconds * 1000, signal);
      signal.throwIfAborted();
    },
  };
  const end = await runIpxe(await host.fetchScript('/boot.ipxe'), settingsOf(booting), host);
  if (end === 'exit') return undefined;
  const file = archive && readCpioFile(archive, 'muster/boot.json');
  if (!file) throw new Error('Cannot start the kernel: the script loaded no boot.json');
  return {boot: parseBootFile(file.toString('utf8')), imageId};
}

/** What iPXE knows of the machine. */
function settingsOf({machine, address}: BootingMachine): Map<string, string> {
  const {macs, uuid, serial, product, manufacturer, assetTag, firmwareMode} = machine;
  const nics = macs
    .slice(0, nicsNamedMax)
    .map((mac, number): [string, string] => [`net${number}/mac`, mac]);
  return new Map([
    ...nics,
    ['netX/mac', macs[0] ?? ''],
    ['netX/ip', address],
    // An Intel NIC: no virtual machine's.
    ['netX/busid', '0180861521'],
    ['uuid', uuid],
    ['serial', serial],
    ['product', product],
    ['manufacturer', manufacturer],
    ['asset', assetTag],
    ['platform', firmwareMode === 'uefi' ? 'efi' : 'pcbios'],
    ['buildarch', 'x86_64'],
  ]);
}
