import dgram from 'node:dgram';
import {once} from 'node:events';
import net from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';

/** A port that a process will listen on, and the setting that chooses another. */
export type PortNeed = {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
  readonly what: string;
  readonly setting: string;
};

const releasePollMs = 200;

/**
 * Throws one sentence that names every port that is taken. Waits some seconds before, for the processes of an `up` that was killed a
 * moment ago.
 */
export async function assertPortsFree(
  needs: readonly PortNeed[],
  releaseLimitMs = 5000,
): Promise<void> {
  const deadlineMs = performance.now() + releaseLimitMs;
  let taken = await findTaken(needs);
  while (taken.length > 0 && performance.now() < deadlineMs) {
    await delay(releasePollMs);
    taken = await findTaken(taken);
  }
  if (taken.length === 0) return;

  const list = taken.map(
    ({port, protocol, what, setting}) =>
      `  ${protocol} port ${port} for ${what}: set ${setting} to another (ss -lnp ${protocol === 'TCP' ? '-t' : '-u'} "sport = :${port}" shows who listens there)`,
  );
  throw new Error(`Cannot start, these ports are in use:\n${list.join('\n')}`);
}

async function findTaken(needs: readonly PortNeed[]): Promise<readonly PortNeed[]> {
  const free = await Promise.all(
    needs.map(({port, protocol}) => (protocol === 'TCP' ? isTcpFree(port) : isUdpFree(port))),
  );
  return needs.filter((_need, index) => !free[index]);
}

async function isTcpFree(port: number): Promise<boolean> {
  const server = net.createServer();
  try {
    server.listen({port, host: '0.0.0.0', exclusive: true});
    await once(server, 'listening');
    return true;
  } catch (error) {
    return !isInUse(error);
  } finally {
    server.close();
  }
}

async function isUdpFree(port: number): Promise<boolean> {
  const socket = dgram.createSocket('udp4');
  try {
    socket.bind({port, address: '0.0.0.0', exclusive: true});
    await once(socket, 'listening');
    return true;
  } catch (error) {
    return !isInUse(error);
  } finally {
    socket.close();
  }
}

const isInUse = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
