import {once} from 'node:events';
import {connect} from 'node:net';
import {openDatabase} from '@muster/server/store/db.ts';
import test from 'ava';
import {until} from '../helpers/processes.ts';
import {startRunningServer} from '../helpers/running-server.ts';

/** More than what sockets and the list of the newest events hold together. */
const events = 9000;
const bytesOfOne = 6000;

type Item = {readonly id: number; readonly missed?: {readonly from: number; readonly to: number}};

/** Server-sent events as they stand in the stream. */
const parse = (text: string): readonly Item[] =>
  [...text.matchAll(/^data: (.*)\nid: (\d+)\n$/gm)].map(([, data = '', id]) => {
    const {missed} = JSON.parse(data) as Partial<Item>;
    return {id: Number(id), ...(missed ? {missed} : {})};
  });

/** A viewer that reads when it is told to. */
async function openViewer(address: string, token: string) {
  const [host = '', port] = address.split(':');
  const socket = connect(Number(port), host);
  await once(socket, 'connect');
  let rest = '';
  const items: Item[] = [];
  socket.on('data', chunk => {
    const text = rest + chunk.toString('latin1').replaceAll(/\r\n[0-9a-f]*\r\n/g, '');
    const end = text.lastIndexOf('\n\n') + 2;
    items.push(...parse(text.slice(0, end)));
    rest = text.slice(end);
  });
  socket.write(
    `GET /api/v1/events/watch?after=0 HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  return {socket, items};
}

test('a viewer that stops reading is told what it missed, and another misses nothing', async t => {
  t.timeout(180_000);
  await using server = await startRunningServer();
  await using stack = new AsyncDisposableStack();
  const sql = stack.adopt(openDatabase(server.databaseUrl), database => database.end({timeout: 1}));
  const token = await server.localToken();
  const slow = await openViewer(server.address, token);
  const fast = await openViewer(server.address, token);
  stack.defer(async () => void [slow, fast].map(({socket}) => socket.destroy()));
  await until('both to be live', async () => slow.items.length > 0 && fast.items.length > 0);
  slow.socket.pause();

  const before = fast.items.at(-1)?.id ?? 0;
  const write = async (count: number) => {
    await sql`
      insert into events (id, time, type, actor, data)
      select gen_random_uuid(), now(), 'machine.updated', 'system', jsonb_build_object('text', repeat('x', ${bytesOfOne}))
      from generate_series(1, ${count})
    `;
    await sql`notify events`;
  };
  await write(events);
  const total = before + events;
  await until('the fast viewer', async () => (fast.items.at(-1)?.id ?? 0) >= total, 150_000);
  const ids = fast.items.map(({id}) => id);
  t.deepEqual(
    ids,
    Array.from({length: ids.length}, (_, index) => (ids[0] ?? 0) + index),
  );
  t.true(fast.items.every(({missed}) => missed === undefined));

  slow.socket.resume();
  await until('the slow viewer', async () => (slow.items.at(-1)?.id ?? 0) >= total);
  const told = slow.items.filter(({missed}) => missed);
  t.is(told.length, 1);
  const [{missed} = {}] = told;
  const at = slow.items.findIndex(item => item.missed);
  t.is(missed?.from, (slow.items[at - 1]?.id ?? 0) + 1);
  t.is(missed?.to, slow.items[at]?.id);

  await write(1);
  await until('what comes after', async () => (slow.items.at(-1)?.id ?? 0) === total + 1);
});
