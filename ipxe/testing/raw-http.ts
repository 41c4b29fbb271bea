import {once} from 'node:events';
import net from 'node:net';

/** What a server answers to bytes on a bare connection, until `until` holds or the connection ends. */
export async function rawHttp(
  port: number,
  pieces: readonly (string | Buffer)[],
  until: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = net.connect({port, host: '127.0.0.1', noDelay: true});
  await once(socket, 'connect');
  const received: Buffer[] = [];
  const text = () => Buffer.concat(received).toString('latin1');
  const over = new Promise<void>((resolve, reject) => {
    socket.on('data', (data: Buffer) => {
      received.push(data);
      if (until(text())) resolve();
    });
    socket.on('close', () => resolve());
    socket.on('error', error => {
      if (received.length > 0) resolve();
      else reject(error);
    });
    setTimeout(
      () => reject(new Error(`No end in sight, got ${text().slice(0, 500)}`)),
      20_000,
    ).unref();
  });
  // Each piece in a segment of its own.
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise(resolve => setImmediate(resolve));
  }
  await over;
  socket.destroy();
  return text();
}
