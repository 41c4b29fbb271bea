import dgram, {type RemoteInfo, type Socket} from 'node:dgram';
import {once} from 'node:events';
import {isIPv6} from 'node:net';
import type {Logger} from '@muster/runtime/log.ts';
import {plainIpAddress} from './identifiers.ts';
import type {LoaderDesk} from './loader-desk.ts';
import type {Loader} from './loaders.ts';
import {limitPerSecond} from './rate-limit.ts';
import type {Metrics, TftpOutcome} from './metrics.ts';
import {
  agreeOnTerms,
  encodeError,
  errorCode,
  type Packet,
  parsePacket,
  toNetascii,
} from './tftp-packets.ts';
import {createTransfer, type Step, type Transfer} from './tftp-transfer.ts';

/** Requests of a storm wait here instead of being lost. */
const receiveBufferBytes = 4 * 1024 * 1024;
/** A few sockets for all transfers: in a storm that is twice as fast as a socket for each (notes: performance §3.3). */
const dataSockets = 2;
const tickMs = 50;
const netasciiMax = 16;
const linesPerSecondMax = 20;

export type TftpServer = AsyncDisposable & {readonly port: number};

type Running = {
  readonly transfer: Transfer;
  readonly loader: Loader;
  readonly socket: Socket;
  readonly peer: RemoteInfo;
};

/** Read-only TFTP for boot loaders (RFC 1350, 2347, 2348, 2349, 7440). */
export async function listenTftp({
  tftpHost: host,
  tftpPort: port,
  tftpBlockBytesMax: blockBytesMax,
  tftpTransfersMax: transfersMax,
  tftpTransfersPerClientMax: transfersPerClientMax,
  desk,
  metrics,
  log,
}: {
  readonly tftpHost: string;
  readonly tftpPort: number;
  readonly tftpBlockBytesMax: number;
  readonly tftpTransfersMax: number;
  readonly tftpTransfersPerClientMax: number;
  readonly desk: Pick<LoaderDesk, 'hand' | 'note'>;
  readonly metrics: Metrics;
  readonly log: Logger;
}): Promise<TftpServer> {
  await using stack = new AsyncDisposableStack();
  const front = stack.use(await bind(host, port, log));
  const pool: Socket[] = [];
  for (let index = 0; index < dataSockets; index++)
    pool.push(stack.use(await bind(host, 0, log)).socket);

  const running = new Map<string, Running>();
  /** Requests whose file is being looked for. */
  const opening = new Set<string>();
  const perClient = new Map<string, number>();
  const netascii = new Map<string, Buffer>();
  const mayLog = limitPerSecond(linesPerSecondMax, () => performance.now());
  let next = 0;

  function perform(key: string, entry: Running, step: Step) {
    if (step.kind === 'wait') return;
    if (step.kind === 'send') {
      for (const datagram of step.datagrams) send(entry.socket, entry.peer, datagram);
      return;
    }
    end(key, entry, step.kind === 'done' ? 'completed' : 'timed_out');
  }

  function end(key: string, {loader, transfer, peer}: Running, outcome: TftpOutcome) {
    running.delete(key);
    const left = (perClient.get(peer.address) ?? 1) - 1;
    if (left === 0) perClient.delete(peer.address);
    else perClient.set(peer.address, left);
    metrics.tftp(outcome);
    log.debug({loader: loader.name, ip: peer.address, outcome}, 'TFTP transfer ended');
    if (outcome !== 'completed') return;
    desk
      .note(loader, plainIpAddress(peer.address), transfer.sizeBytes)
      .catch((error: unknown) => log.error({err: error}, 'boot loader hop lost'));
  }

  function send(
    socket: Socket,
    {address, port: peerPort}: RemoteInfo,
    datagram: readonly Buffer[],
  ) {
    socket.send(datagram, peerPort, address, error => {
      if (error && mayLog()) log.info({err: error, ip: address}, 'TFTP packet not sent');
    });
  }

  function refuse(
    peer: RemoteInfo,
    code: number,
    message: string,
    outcome: TftpOutcome,
    name?: string,
  ) {
    metrics.tftp(outcome);
    if (mayLog()) log.info({ip: peer.address, name: name?.slice(0, 128)}, `TFTP: ${message}`);
    send(front.socket, peer, [encodeError(code, message)]);
  }

  async function open(packet: Packet & {op: 'read'}, peer: RemoteInfo, key: string) {
    const {name, mode} = packet;
    if (mode !== 'octet' && mode !== 'netascii')
      return refuse(
        peer,
        errorCode.illegalOperation,
        'Only octet and netascii are served',
        'refused',
        name,
      );
    const loader = await desk.hand(name, plainIpAddress(peer.address));
    if ('kind' in loader) {
      if (loader.kind === 'climbs')
        return refuse(peer, errorCode.accessViolation, loader.message, 'refused', name);
      return refuse(peer, errorCode.notFound, loader.message, 'not_found', name);
    }
    const content = mode === 'octet' ? loader.content : asNetascii(loader);
    const transfer = createTransfer(
      content,
      agreeOnTerms(packet.options, content.length, blockBytesMax),
    );
    const socket = pool[next++ % pool.length] ?? front.socket;
    const entry = {transfer, loader, socket, peer};
    running.set(key, entry);
    perClient.set(peer.address, (perClient.get(peer.address) ?? 0) + 1);
    perform(key, entry, transfer.start(performance.now()));
  }

  function asNetascii(loader: Loader): Buffer {
    let content = netascii.get(loader.name);
    if (!content) {
      content = toNetascii(loader.content);
      if (netascii.size < netasciiMax) netascii.set(loader.name, content);
    }
    return content;
  }

  /** A client that hears nothing asks again; an overloaded server that answers with an error would end its boot. */
  function hasRoom(peer: RemoteInfo): boolean {
    const own = perClient.get(peer.address) ?? 0;
    if (running.size + opening.size < transfersMax && own < transfersPerClientMax) return true;
    metrics.tftp('refused');
    if (mayLog())
      log.warn(
        {ip: peer.address, transfers: running.size, own},
        'TFTP request dropped: too many transfers',
      );
    return false;
  }

  front.socket.on('message', (bytes, peer) => {
    const packet = parsePacket(bytes);
    if (packet?.op === 'write')
      return refuse(
        peer,
        errorCode.accessViolation,
        'Nothing can be written here',
        'refused',
        packet.name,
      );
    if (packet?.op !== 'read') {
      metrics.tftp('malformed');
      if (mayLog())
        log.info({ip: peer.address, bytes: bytes.length}, 'TFTP: not a request, ignored');
      return;
    }
    const key = keyOf(peer);
    const present = running.get(key);
    if (opening.has(key) || present?.transfer.isStarting) return;
    if (present) end(key, present, 'aborted');
    if (!hasRoom(peer)) return;
    opening.add(key);
    open(packet, peer, key)
      .catch((error: unknown) => log.error({err: error}, 'TFTP request failed'))
      .finally(() => opening.delete(key));
  });

  for (const socket of pool)
    socket.on('message', (bytes, peer) => {
      const key = keyOf(peer);
      const entry = running.get(key);
      // From nobody, or for the other socket: a foreign transfer id disturbs nothing (RFC 1350, 4).
      if (!entry || entry.socket !== socket) return;
      const packet = parsePacket(bytes);
      if (packet?.op === 'ack')
        perform(key, entry, entry.transfer.onAck(packet.block, performance.now()));
      // PXE firmware asks for the size and aborts: normal.
      else if (packet?.op === 'error') end(key, entry, 'aborted');
      else metrics.tftp('malformed');
    });

  const ticker = setInterval(() => {
    const nowMs = performance.now();
    for (const [key, entry] of running) perform(key, entry, entry.transfer.onTick(nowMs));
  }, tickMs);
  stack.defer(() => clearInterval(ticker));

  const owned = stack.move();
  return {port: front.socket.address().port, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

function keyOf({address, port}: RemoteInfo): string {
  return `${address} ${port}`;
}

async function bind(host: string, port: number, log: Logger) {
  const family = isIPv6(host) ? 6 : 4;
  const socket = dgram.createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: receiveBufferBytes,
    sendBufferSize: receiveBufferBytes,
    // Peers are always numeric: no look-up for each packet.
    lookup: (address, _options, done) => done(null, address, family),
  });
  const listening = once(socket, 'listening');
  socket.bind(port, host);
  await listening;
  socket.on('error', error => log.error({err: error}, 'TFTP socket failed'));
  return {
    socket,
    async [Symbol.asyncDispose]() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}
