import {once} from 'node:events';
import net, {type AddressInfo, type Socket} from 'node:net';
import test from 'ava';
import {anAnswer, publishBook, startTestEdge, temporaryFolder} from './testing/edge.ts';
import {startMusterServer} from './testing/muster-server.ts';

/** A line that can be cut without either end hearing of it, as when a router dies. */
async function startLine(target: number) {
  const sockets = new Set<Socket>();
  const state = {connections: 0};
  const server = net.createServer(near => {
    state.connections++;
    const far = net.connect(target, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    state,
    port: (server.address() as AddressInfo).port,
    cutSilently() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test('a connection that died without a word is noticed, and made anew', async t => {
  await using folder = await temporaryFolder();
  await using server = await startMusterServer();
  using line = await startLine(server.port);
  publishBook(server, [anAnswer({machineId: 'a', serial: 'A-1'})]);
  await using edge = await startTestEdge({
    stateDir: folder.path,
    serverUrl: `http://127.0.0.1:${line.port}`,
  });
  await edge.until(() => edge.machines() === 1);
  const before = server.state.watches.length;

  line.cutSilently();
  server.publish({
    complete: true,
    revision: 2n,
    answers: [anAnswer({machineId: 'b', serial: 'B-1'})],
  });
  await edge.until(() => edge.machines() === 2, 40_000);
  t.true(server.state.watches.length > before);
  t.is(server.state.watches.at(-1), 1n);
});
