import {silentLogger} from '@muster/runtime/log.ts';
import {createBook} from '../book.ts';
import {createHops} from '../hops.ts';
import {createLoaderDesk} from '../loader-desk.ts';
import {readLoaders} from '../loaders.ts';
import {createMetrics} from '../metrics.ts';
import {createNeighbours} from '../neighbours.ts';
import {createSessions} from '../sessions.ts';
import {listenTftp} from '../tftp.ts';

export const loadersDir = '/usr/lib/ipxe';

/** The TFTP side of an edge on a free port, serving Debian's boot loaders. */
export async function startTftp(
  limits: {tftpTransfersPerClientMax?: number; tftpBlockBytesMax?: number} = {},
) {
  await using stack = new AsyncDisposableStack();
  const nowMs = () => performance.now();
  const loaders = await readLoaders(loadersDir, silentLogger);
  if (!loaders.complete)
    throw new Error(`Cannot find the boot loaders: install the Debian package "ipxe"`);
  const metrics = createMetrics();
  const hops = stack.use(
    createHops({
      nowMs: () => performance.now(),
      send: () => Promise.resolve(),
      metrics,
      log: silentLogger,
      newId: () => crypto.randomUUID(),
    }),
  );
  const desk = createLoaderDesk({
    loaders,
    neighbours: createNeighbours({nowMs}),
    book: createBook(),
    sessions: createSessions({nowMs, newId: () => crypto.randomUUID()}),
    hops,
  });
  const server = stack.use(
    await listenTftp({
      tftpHost: '127.0.0.1',
      tftpPort: 0,
      tftpBlockBytesMax: 1468,
      tftpTransfersMax: 4096,
      tftpTransfersPerClientMax: 64,
      desk,
      metrics,
      log: silentLogger,
      ...limits,
    }),
  );
  const owned = stack.move();
  return {port: server.port, metrics, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}
