import {once} from 'node:events';
import net from 'node:net';

/** Below the range of outgoing connections (ip_local_port_range), so that nobody takes one while a killed process is away. */
const firstPort = 10_000;
const blockCount = 500;
const blockPorts = 40;
/** What fetch refuses to speak to, of our range (Fetch standard, 2.9). */
const refusedPort = 10_080;

let block: Promise<number> | undefined;
let used = 0;

/**
 * A port of the loopback address that is free now and that no other test process of this host is given. Test files run at the same time: of ports
 * drawn at random two stacks got the same one once in a few runs, and one of them talked to the other's server.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    if (used >= blockPorts) {
      block = undefined;
      used = 0;
    }
    block ??= claimBlock();
    const offset = used++;
    const port = firstPort + (await block) * blockPorts + offset;
    const probe = net.createServer();
    if (port === refusedPort) continue;
    // Somebody who is no test may listen there.
    if (!(await listens(probe, {port, host: '127.0.0.1'}))) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

/** Held by an abstract socket (unix(7)), which the kernel gives up with its process, however that ends. */
async function claimBlock(): Promise<number> {
  const start = Math.floor(Math.random() * blockCount);
  for (let step = 0; step < blockCount; step += 1) {
    const candidate = (start + step) % blockCount;
    const holder = net.createServer().unref();
    if (await listens(holder, {path: `\0muster-test-ports-${candidate}`})) return candidate;
  }
  throw new Error(`Cannot find free ports: all ${blockCount} blocks are held by test processes`);
}

async function listens(server: net.Server, address: net.ListenOptions): Promise<boolean> {
  try {
    await once(server.listen(address), 'listening');
    return true;
  } catch {
    return false;
  }
}
