import {once} from 'node:events';
import net, {type Socket} from 'node:net';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';

const ethernetBytes = 14;
const udpHeaderBytes = 8;
/** The fixed part of DHCP and its magic cookie (RFC 2131). */
const dhcpHeaderBytes = 240;
const ipv4 = 0x0800;
const udp = 17;
const ports = {tftp: 69, dhcp: 67, proxyDhcp: 4011};
const option = {pad: 0, end: 255};

/** What iPXE says of itself to a DHCP server, user class and encapsulated options, becomes what nobody reads (RFC 3942: site-specific). */
const renamed: Readonly<Record<number, number>> = {77: 225, 175: 224};

export type PlainFirmware = AsyncDisposable & {readonly qemuArguments: readonly string[]};

/**
 * PXE firmware of a BIOS that is not iPXE. QEMU's network cards have no other, so this stands between such a card and its network and hides
 * iPXE's name, until the card has asked for a file by TFTP: from then on that file speaks for itself. For one machine.
 */
export async function createPlainFirmware(folder: string): Promise<PlainFirmware> {
  await using stack = new AsyncDisposableStack();
  const paths = {fromCard: join(folder, 'from-card'), toNetwork: join(folder, 'to-network')};
  const network = Promise.withResolvers<Socket>();
  stack.use(await listen(paths.toNetwork, network.resolve));
  stack.use(
    await listen(paths.fromCard, card => {
      // Ends with QEMU, and be it by a failure of either end.
      void network.promise.then(to => pipeline(card, hideName, to)).catch(() => undefined);
    }),
  );
  const owned = stack.move();
  return {
    qemuArguments: [
      ...['-chardev', `socket,id=from-card,path=${paths.fromCard}`],
      ...['-chardev', `socket,id=to-network,path=${paths.toNetwork}`],
      '-object',
      'filter-redirector,id=plain,netdev=n0,queue=rx,outdev=from-card,indev=to-network,vnet_hdr_support=on',
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function listen(
  path: string,
  onConnection: (socket: Socket) => void,
): Promise<AsyncDisposable> {
  const server = net.createServer(onConnection).listen(path);
  await once(server, 'listening');
  return server;
}

/** QEMU's frames: length, length of the virtio header (32 bits each), that header, Ethernet. */
async function* hideName(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer = Buffer.alloc(0);
  let loaderSpeaks = false;
  for await (const chunk of chunks) {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= 8 && waiting.length >= 8 + waiting.readUInt32BE(0)) {
      const message = waiting.subarray(0, 8 + waiting.readUInt32BE(0));
      waiting = waiting.subarray(message.length);
      const datagram = datagramOf(message.subarray(8 + message.readUInt32BE(4)));
      const port = datagram?.readUInt16BE(2);
      loaderSpeaks ||= port === ports.tftp;
      if (datagram && !loaderSpeaks && (port === ports.dhcp || port === ports.proxyDhcp))
        renameOptions(datagram);
      yield message;
    }
  }
}

/** From its UDP header on. */
function datagramOf(frame: Buffer): Buffer | undefined {
  if (frame.readUInt16BE(12) !== ipv4 || frame[ethernetBytes + 9] !== udp) return undefined;
  const ipHeaderBytes = ((frame[ethernetBytes] ?? 0) & 0xf) * 4;
  return frame.subarray(ethernetBytes + ipHeaderBytes);
}

function renameOptions(datagram: Buffer): void {
  // No checksum, as UDP over IPv4 may.
  datagram.writeUInt16BE(0, 6);
  let at = udpHeaderBytes + dhcpHeaderBytes;
  while (at < datagram.length && datagram[at] !== option.end) {
    const code = datagram[at] ?? option.pad;
    datagram[at] = renamed[code] ?? code;
    at += code === option.pad ? 1 : 2 + (datagram[at + 1] ?? 0);
  }
}
