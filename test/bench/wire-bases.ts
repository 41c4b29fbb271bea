import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {execPath} from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {create, toBinary} from '@bufbuild/protobuf';
import {WatchEventsRequestSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {findServerBinary} from '../helpers/nats.ts';
import {freePort} from '../helpers/ports.ts';
import {until} from '../helpers/processes.ts';
import {cpuSeconds} from './measure.ts';
import {closeViewers, everyBatch, openAll, openViewer, type Viewer} from './wire-viewers.ts';

const listenMs = 1000;
const batchMsMax = 30_000;
const lookMs = 100;

/** `plain-stream-server.ts` as a process of its own, watched by Connect streams. */
export async function startPlainServer(eventsPerBatch: number) {
  const port = await freePort();
  const script = join(import.meta.dirname, 'plain-stream-server.ts');
  const child = spawn(execPath, [script, String(port), String(eventsPerBatch)]);
  const ended = once(child, 'exit');
  const pid = () => child.pid ?? 0;
  const request = toBinary(WatchEventsRequestSchema, create(WatchEventsRequestSchema));
  const frame = Buffer.alloc(5 + request.length);
  frame.writeUInt32BE(request.length, 1);
  frame.set(request, 5);
  const head = `POST /muster.v1.EventService/WatchEvents HTTP/1.1\r\nHost: x\r\nConnect-Protocol-Version: 1\r\nContent-Type: application/connect+proto\r\nContent-Length: ${frame.length}\r\n\r\n`;
  const greeting = Buffer.concat([Buffer.from(head), frame]);
  let shownCount = 0;
  /** The last event of a batch has its marker as id. */
  const write = () => {
    const marker = `marker-${(shownCount += 1)}-`;
    child.stdin.write(`${marker}\n`);
    return (viewers: readonly Viewer[]) => viewers.every(({seen}) => seen.tail.includes(marker));
  };
  const show = async (viewers: readonly Viewer[]) => {
    const isSeenBy = write();
    await until('the batch', async () => isSeenBy(viewers));
  };
  const open = async (count: number) => {
    const viewers = await openAll(count, () =>
      until('the plain server', () => openViewer(port, greeting)),
    );
    // A viewer sees what comes after its request was read, which nobody tells.
    await delay(listenMs);
    await until('all viewers of the plain server', async () => {
      const isSeenBy = write();
      const endMs = performance.now() + batchMsMax;
      while (!isSeenBy(viewers) && performance.now() < endMs) await delay(lookMs);
      return isSeenBy(viewers);
    });
    return viewers;
  };
  return {
    pid,
    open,
    /** CPU seconds of so many batches. */
    async showCpu(count: number, batchCount: number) {
      const viewers = await open(count);
      await show(viewers);
      const cpu = cpuSeconds(pid());
      for (let batch = 0; batch < batchCount; batch += 1) await show(viewers);
      const used = cpuSeconds(pid()) - cpu;
      closeViewers(viewers);
      return used;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** CPU seconds of nats-server to carry the same bytes to as many subscribers. */
export async function natsCpu({
  viewerCount,
  eventsPerBatch,
  batches,
  bytesOfEvent,
}: {
  readonly viewerCount: number;
  readonly eventsPerBatch: number;
  readonly batches: Parameters<typeof everyBatch>[0];
  readonly bytesOfEvent: number;
}): Promise<number> {
  const port = await freePort();
  const args = ['--pdeathsig=KILL', '--', findServerBinary(), '-a', '127.0.0.1', '-p', `${port}`];
  const child = spawn('setpriv', args, {stdio: 'ignore'});
  const open = (greeting: string) => until('nats-server', () => openViewer(port, greeting));
  let subscribers: readonly Viewer[] = [];
  try {
    subscribers = await openAll(viewerCount, () => open('CONNECT {}\r\nSUB e 1\r\nPING\r\n'));
    await until('subscriptions', async () =>
      subscribers.every(({seen}) => seen.tail.includes('PONG')),
    );
    const before = subscribers.map(({seen}) => seen.bytes);
    const publisher = await open('CONNECT {"verbose":false}\r\n');
    const one = `PUB e ${bytesOfEvent}\r\n${'x'.repeat(bytesOfEvent)}\r\n`;
    const cpu = cpuSeconds(child.pid ?? 0);
    await everyBatch(batches, async () => publisher.socket.write(one.repeat(eventsPerBatch)));
    const wanted = batches.count * eventsPerBatch * bytesOfEvent;
    await until('every message', async () =>
      subscribers.every(({seen}, index) => seen.bytes - (before[index] ?? 0) >= wanted),
    );
    closeViewers([publisher]);
    return cpuSeconds(child.pid ?? 0) - cpu;
  } finally {
    closeViewers(subscribers);
    child.kill();
    await once(child, 'exit');
  }
}
