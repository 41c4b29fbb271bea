import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import net from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';

const commandTimeoutMs = 10_000;
const lineBytesMax = 1024 * 1024;

/** A machine's QMP connection (docs/interop/qmp-spec of QEMU): its screen, and when it stops. */
export type Monitor = AsyncDisposable & {
  /** For QEMU, which calls us as soon as it runs. */
  readonly arguments: readonly string[];
  /** Writes the screen as PNG. Throws when the machine is not there or does not answer in 10 s. */
  screendump(file: string): Promise<void>;
};

type Answer = {readonly error: string | undefined};

/** `onStop` is told once when the guest switched itself off; with these arguments QEMU stays, so that its screen can be seen. */
export async function openMonitor(onStop: () => void): Promise<Monitor> {
  // A short path: those of sockets have at most 107 bytes.
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-qmp-'));
  const socketPath = path.join(directory, 'qmp');
  const waiting = new Map<number, (answer: Answer) => void>();
  let connection: net.Socket | undefined;
  let count = 0;

  const server = net.createServer(socket => {
    connection ??= socket;
    if (socket !== connection) socket.destroy();
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (socket === connection)
        for (const answer of waiting.values()) answer({error: 'the machine is gone'});
    });
    const lines = createInterface(socket);
    // It tells of the socket's errors again, and a machine that ends with a command unread is one (ECONNRESET).
    lines.on('error', () => socket.destroy());
    lines.on('line', line => {
      const message = parse(line);
      if (message.event === 'SHUTDOWN') onStop();
      if (message.id !== undefined) waiting.get(message.id)?.({error: message.error});
    });
    // Before that QEMU takes no command.
    socket.write('{"execute":"qmp_capabilities"}\n');
  });
  server.listen(socketPath);
  await once(server, 'listening');

  async function execute(command: string, args: object): Promise<void> {
    if (!connection || connection.destroyed) throw new Error('The machine has no monitor');
    const id = (count += 1);
    const {promise, resolve} = Promise.withResolvers<Answer>();
    waiting.set(id, resolve);
    const timer = setTimeout(() => resolve({error: 'no answer'}), commandTimeoutMs);
    connection.write(`${JSON.stringify({execute: command, arguments: args, id})}\n`);
    const {error} = await promise;
    clearTimeout(timer);
    waiting.delete(id);
    if (error !== undefined) throw new Error(`Cannot ${command}: ${error}`);
  }

  return {
    arguments: [
      ...['-device', 'VGA', '-no-shutdown'],
      ...[
        '-chardev',
        `socket,id=qmp,path=${socketPath},server=off`,
        '-mon',
        'chardev=qmp,mode=control',
      ],
    ],
    screendump: file => execute('screendump', {filename: file, format: 'png'}),
    async [Symbol.asyncDispose]() {
      connection?.destroy();
      server.close();
      await rm(directory, {recursive: true, force: true});
    },
  };
}

type Message = {
  readonly event?: unknown;
  readonly id?: number;
  readonly error?: string | undefined;
};

/** Nothing for what is no message: a machine's process must not end ours. */
function parse(line: string): Message {
  if (line.length > lineBytesMax) return {};
  try {
    const message = JSON.parse(line) as {
      event?: unknown;
      id?: number;
      error?: {desc?: string};
    } | null;
    const {event, id, error} = message ?? {};
    return {event, ...(id === undefined ? {} : {id}), error: error && (error.desc ?? 'refused')};
  } catch {
    return {};
  }
}
