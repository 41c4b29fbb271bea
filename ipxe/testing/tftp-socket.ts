import dgram, {type RemoteInfo} from 'node:dgram';
import {once} from 'node:events';

const answerTimeoutMs = 5000;

/** A bare UDP socket for packets that no TFTP client would send. */
export async function openTftpSocket(port: number) {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const received: {bytes: Buffer; peer: RemoteInfo}[] = [];
  socket.on('message', (bytes, peer) => received.push({bytes, peer}));

  return {
    send: (bytes: Buffer, to: number = port) => socket.send(bytes, to, '127.0.0.1'),
    /** The next packet. */
    async next(): Promise<{bytes: Buffer; peer: RemoteInfo}> {
      while (received.length === 0)
        await once(socket, 'message', {signal: AbortSignal.timeout(answerTimeoutMs)});
      const first = received.shift();
      if (!first) throw new Error('Nothing was received');
      return first;
    },
    get waiting() {
      return received.length;
    },
    [Symbol.dispose]: () => socket.close(),
  };
}

export function readRequest(name: string, options: Readonly<Record<string, string>> = {}): Buffer {
  const fields = [name, 'octet', ...Object.entries(options).flat()];
  return Buffer.from(`\0\x01${fields.join('\0')}\0`, 'latin1');
}

export function ack(block: number): Buffer {
  return Buffer.from([0, 4, block >> 8, block & 0xff]);
}
