import {cpuUsage} from 'node:process';
import {randomUUID} from 'node:crypto';
import {create, toBinary} from '@bufbuild/protobuf';
import {WatchEventsResponseSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {placeWaitingEntries} from '@muster/server/domain/journal.ts';
import {createEventFeed} from '@muster/server/domain/event-feed.ts';
import {toEventMessage, toSharedMessage} from '@muster/server/rpc/event-messages.ts';
import type {Database} from '@muster/server/store/db.ts';
import {appendEvent} from '@muster/server/store/events.ts';
import {findJournalHead, type JournalEntry, listEntries} from '@muster/server/store/journal.ts';
import {createWakeUps, type WakeUps} from '@muster/server/wake-ups.ts';
import {startPostgres} from '../helpers/postgres.ts';
import {median, print} from './measure.ts';

const viewers = 100;
const events = 200;
const rounds = 3;
const cpuRatioMin = 3;
/** What is left is memory for the bytes, which protobuf-es takes for each viewer. */
const bytesRatioMin = 2;
const lateMsMax = 1000;

type Watch = (after: number, signal: AbortSignal) => AsyncGenerator<JournalEntry>;
type Cost = {readonly cpuMs: number; readonly ms: number};

/** The way before: each viewer reads the table and encodes for itself. */
const readAlone = (sql: Database, positions: WakeUps): Watch =>
  async function* (after, signal) {
    let last = after;
    while (!signal.aborted) {
      const seen = positions.version;
      const upTo = (await findJournalHead(sql))?.position ?? 0;
      const entries = await listEntries(sql, {after: last, upTo, limit: 200});
      for (const entry of entries) {
        last = entry.position;
        yield entry;
      }
      if (entries.length < 200) await positions.after(seen, signal);
    }
  };

const encodeAlone = (entry: JournalEntry) =>
  toBinary(
    WatchEventsResponseSchema,
    create(WatchEventsResponseSchema, {
      event: toEventMessage(entry),
      position: BigInt(entry.position),
    }),
  );

const readShared = (sql: Database, positions: WakeUps): Watch => {
  const feed = createEventFeed({sql, positions});
  return async function* (after, signal) {
    for await (const items of feed.read({after, test: () => true}, signal))
      for (const {entry} of items) if (entry) yield entry;
  };
};

const encodeShared = (entry: JournalEntry) =>
  toBinary(WatchEventsResponseSchema, toSharedMessage({entry, position: entry.position}));

/** All viewers from the same position on, while events are written; the cost until the last of them has the last event. */
async function show(
  sql: Database,
  {
    watch,
    encode,
    positions,
  }: {
    watch: Watch;
    encode: (entry: JournalEntry) => Uint8Array;
    positions: WakeUps;
  },
): Promise<Cost> {
  const stop = new AbortController();
  const after = (await findJournalHead(sql))?.position ?? 0;
  const cpu = cpuUsage();
  const start = performance.now();
  const views = Array.from({length: viewers}, async () => {
    let bytes = 0;
    for await (const entry of watch(after, stop.signal)) {
      bytes += encode(entry).length;
      if (entry.position === after + events) break;
    }
    return bytes;
  });
  await write(sql, positions);
  const written = await Promise.all(views);
  stop.abort();
  if (new Set(written).size !== 1) throw new Error('The viewers got different bytes');
  const {user, system} = cpuUsage(cpu);
  return {cpuMs: (user + system) / 1000, ms: performance.now() - start};
}

async function write(sql: Database, positions: WakeUps): Promise<void> {
  for (let number = 0; number < events; number += 1) {
    await appendEvent(sql, {
      id: randomUUID(),
      time: new Date(),
      type: 'machine.updated',
      actor: 'user:alice',
      subject: 'machines/1',
      data: {number, serial: '7XK2MQ2', state: {from: 'ready', to: 'active'}, labels: {rack: 'r7'}},
    });
    await sql.begin(placeWaitingEntries);
    positions.notify();
  }
}

/** What it costs the server to show every event to every viewer, and what the bytes of one are worth. */
export async function benchFanOut(): Promise<void> {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  const ways = {
    alone: (positions: WakeUps) => ({watch: readAlone(sql, positions), encode: encodeAlone}),
    shared: (positions: WakeUps) => ({watch: readShared(sql, positions), encode: encodeShared}),
  };
  const costs: Record<keyof typeof ways, Cost[]> = {alone: [], shared: []};
  for (let round = 0; round < rounds; round += 1)
    for (const name of ['alone', 'shared'] as const) {
      const positions = createWakeUps();
      costs[name].push(await show(sql, {...ways[name](positions), positions}));
    }
  const cpu = (name: keyof typeof ways) => median(costs[name].map(({cpuMs}) => cpuMs));
  const ratio = cpu('alone') / cpu('shared');
  const per = (cpuMs: number) => `${((cpuMs / (viewers * events)) * 1000).toFixed(1)} µs`;
  print({
    what: `CPU to show one event to one of ${viewers} viewers`,
    value: per(cpu('shared')),
    base: `${ratio.toFixed(1)} × less than each by itself (${per(cpu('alone'))})`,
    limit: `≥ ${cpuRatioMin} × less`,
    met: ratio >= cpuRatioMin,
  });
  const ms = median(costs.shared.map(cost => cost.ms));
  const base = await writeAlone(sql);
  print({
    what: `${events} events, written and shown to all`,
    value: `${ms.toFixed(0)} ms`,
    base: `${(ms / base).toFixed(2)} × writing them alone (${base.toFixed(0)} ms)`,
    limit: `≤ ${lateMsMax} ms more`,
    met: ms - base <= lateMsMax,
  });
  encodeOnly();
}

async function writeAlone(sql: Database): Promise<number> {
  const start = performance.now();
  await write(sql, createWakeUps());
  return performance.now() - start;
}

function encodeOnly(): void {
  const entry: JournalEntry = {
    id: randomUUID(),
    position: 1,
    time: new Date(),
    type: 'machine.updated',
    actor: 'user:alice',
    machineId: randomUUID(),
    subject: 'machines/1',
    data: JSON.stringify({serial: '7XK2MQ2', state: {from: 'ready', to: 'active'}, count: 3}),
  };
  const time = (encode: (one: JournalEntry) => unknown) => {
    const start = performance.now();
    for (let count = 0; count < 20_000; count += 1) encode(entry);
    return ((performance.now() - start) / 20_000) * 1000;
  };
  for (const encode of [encodeAlone, encodeShared]) time(encode);
  const alone = median([1, 2, 3].map(() => time(encodeAlone)));
  const shared = median([1, 2, 3].map(() => time(encodeShared)));
  print({
    what: 'bytes of one event for one more viewer',
    value: `${shared.toFixed(2)} µs`,
    base: `${(alone / shared).toFixed(1)} × less than encoding it (${alone.toFixed(2)} µs)`,
    limit: `≥ ${bytesRatioMin} × less`,
    met: alone / shared >= bytesRatioMin,
  });
}
