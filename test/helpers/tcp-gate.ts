import {once} from 'node:events';
import net, {type AddressInfo, type Socket} from 'node:net';

export type TcpGate = AsyncDisposable & {
  /** host:port */
  readonly address: string;
  /** Breaks every connection and refuses new ones. */
  shut(): void;
  open(): void;
};

/** Stands between a client and a server on loopback, and can be shut: a cable that is pulled. */
export async function startTcpGate(targetPort: number): Promise<TcpGate> {
  const sockets = new Set<Socket>();
  let isOpen = true;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = net.createServer(client => {
    keep(client);
    if (!isOpen) {
      client.destroy();
      return;
    }
    const target = net.connect(targetPort, '127.0.0.1');
    keep(target);
    client.pipe(target).pipe(client);
  });
  const shut = () => {
    isOpen = false;
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    shut,
    open() {
      isOpen = true;
    },
    async [Symbol.asyncDispose]() {
      shut();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
