import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';

const tailCharactersMax = 512;
const openAtOnce = 50;

/** A raw socket: a client of a library would cost as much as the server that it looks at. */
export type Viewer = {
  readonly socket: Socket;
  /** How much came, and the end of it. */
  readonly seen: {tail: string; bytes: number};
};

export async function openViewer(port: number, greeting: string | Buffer): Promise<Viewer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  // Whoever waits for what it should have seen says so.
  socket.on('error', () => undefined);
  const seen = {tail: '', bytes: 0};
  socket.on('data', chunk => {
    seen.bytes += chunk.length;
    seen.tail = (seen.tail + chunk.toString('latin1')).slice(-tailCharactersMax);
  });
  socket.write(greeting);
  return {socket, seen};
}

export async function openAll(
  count: number,
  open: (index: number) => Promise<Viewer>,
): Promise<readonly Viewer[]> {
  const viewers: Viewer[] = [];
  for (let at = 0; at < count; at += openAtOnce) {
    const some = Array.from({length: Math.min(openAtOnce, count - at)}, (_, index) =>
      open(at + index),
    );
    viewers.push(...(await Promise.all(some)));
  }
  return viewers;
}

export function closeViewers(viewers: readonly Viewer[]): void {
  for (const {socket} of viewers) socket.destroy();
}

export async function everyBatch(
  {count, everyMs}: {readonly count: number; readonly everyMs: number},
  write: (batch: number) => Promise<unknown>,
): Promise<void> {
  for (let batch = 0; batch < count; batch += 1) {
    await write(batch);
    await delay(everyMs);
  }
}
