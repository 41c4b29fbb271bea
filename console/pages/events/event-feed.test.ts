import {create} from '@bufbuild/protobuf';
import {Code, ConnectError} from '@connectrpc/connect';
import {WatchEventsResponseSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
import test from 'ava';
import {
  createEventFeed,
  type FeedState,
  itemsMax,
  type OpenStream,
  replayedMax,
} from './event-feed.ts';

const message = (position: bigint) =>
  create(WatchEventsResponseSchema, {position, event: {position, type: 'machine.updated'}});

/** A journal that is `head` events long; `live` are told afterwards. */
function journal(head: bigint, live: () => AsyncIterable<bigint> = async function* () {}) {
  const opened: (bigint | undefined)[] = [];
  const open: OpenStream = async function* (after, signal) {
    opened.push(after);
    if (after === undefined) {
      yield create(WatchEventsResponseSchema, {position: head});
      return;
    }
    for (let position = after + 1n; position <= head; position += 1n) yield message(position);
    for await (const position of live()) yield message(position);
    await new Promise(resolve => signal.addEventListener('abort', resolve));
  };
  return {open, opened};
}

type Feed = ReturnType<typeof createEventFeed>;
const until = (feed: Feed, holds: (state: FeedState) => boolean): Promise<FeedState> =>
  new Promise(resolve => {
    const look = () => {
      if (holds(feed.state())) resolve(feed.state());
    };
    feed.subscribe(look);
    look();
  });
const positions = ({items}: FeedState): readonly bigint[] =>
  items.flatMap(item => ('event' in item ? [item.event.position] : []));

test('the newest events come first, then what happens', async t => {
  const {open, opened} = journal(1000n, async function* () {
    yield 1001n;
  });
  const feed = createEventFeed(open, undefined);
  feed.start();
  const state = await until(feed, ({items}) => items.length === 501);
  t.deepEqual(opened, [undefined, 500n]);
  t.is(positions(state).at(-1), 1001n);
  t.is(state.state, 'live');
  feed.stop();
});

test('at 500 events a second readers are told four times a second at most', async t => {
  const burst = 10;
  const {open} = journal(0n, async function* () {
    for (let position = 1n; position <= 1000n; position += 1n) {
      if (position % BigInt(burst) === 0n) await new Promise(resolve => setTimeout(resolve, 20));
      yield position;
    }
  });
  const feed = createEventFeed(open, undefined);
  let told = 0;
  feed.subscribe(() => (told += 1));
  const begin = Date.now();
  feed.start();
  const state = await until(feed, ({items}) => items.length === 1000);
  const quarters = Math.ceil((Date.now() - begin) / 250);
  t.true(quarters >= 7, `It took ${quarters} quarters of a second`);
  t.true(told <= quarters + 1, `${told} times in ${quarters} quarters of a second`);
  t.true(state.perSecond > 100);
  feed.stop();
});

test('a pause holds what is shown, counts what comes, and loses nothing', async t => {
  let goOn: () => void = () => undefined;
  const paused = new Promise<void>(resolve => (goOn = resolve));
  const {open} = journal(3n, async function* () {
    await paused;
    yield 4n;
    yield 5n;
  });
  const feed = createEventFeed(open, undefined);
  feed.start();
  await until(feed, ({items}) => items.length === 3);
  feed.setPaused(true);
  await until(feed, ({isPaused}) => isPaused);
  goOn();
  const held = await until(feed, ({waitingCount}) => waitingCount === 2);
  t.is(held.items.length, 3);

  feed.setPaused(false);
  t.deepEqual(positions(await until(feed, ({items}) => items.length === 5)), [1n, 2n, 3n, 4n, 5n]);
  feed.stop();
});

test('a replay stops at each page, goes on when it is asked to, and becomes live', async t => {
  const {open, opened} = journal(BigInt(replayedMax) + 7n);
  const feed = createEventFeed(open, 0n);
  feed.start();
  const first = await until(feed, ({state, items}) => state === 'held' && items.length > 0);
  t.is(first.items.length, replayedMax);
  t.is(positions(first)[0], 1n);

  feed.goOn();
  const second = await until(feed, ({state, items}) => state === 'live' && items.length === 7);
  t.is(positions(second)[0], BigInt(replayedMax) + 1n);
  t.deepEqual(opened, [undefined, 0n]);
  feed.stop();
});

test('the oldest go first, with a mark of what is not shown', async t => {
  const {open} = journal(0n, async function* () {
    for (let position = 1n; position <= BigInt(itemsMax) + 10n; position += 1n) yield position;
  });
  const feed = createEventFeed(open, undefined);
  feed.start();
  const {items} = await until(feed, ({items}) => items.length > itemsMax);
  const [mark] = items;
  t.deepEqual(mark && 'missed' in mark && mark.missed, {from: 1n, to: 10n});
  feed.stop();
});

test('missed events of the server are an item of their own', async t => {
  const feed = createEventFeed(async function* (after, signal) {
    if (after !== undefined)
      yield create(WatchEventsResponseSchema, {position: 9n, missed: {from: 3n, to: 9n}});
    else yield create(WatchEventsResponseSchema, {position: 2n});
    if (after !== undefined)
      await new Promise(resolve => signal.addEventListener('abort', resolve));
  }, undefined);
  feed.start();
  const {items} = await until(feed, ({items}) => items.length === 1);
  const [item] = items;
  t.like(item, {missed: {from: 3n, to: 9n}});
  feed.stop();
});

test('after a break it goes on behind the last event; a refused filter ends it with the reason', async t => {
  let breaks = 1;
  const opened: (bigint | undefined)[] = [];
  const feed = createEventFeed(async function* (after) {
    opened.push(after);
    if (after === undefined) yield create(WatchEventsResponseSchema, {position: 0n});
    else if (breaks > 0) {
      breaks -= 1;
      yield message(1n);
      throw new ConnectError('The server stops', Code.Unavailable);
    } else throw new ConnectError('Cannot read the filter', Code.InvalidArgument);
  }, undefined);
  feed.start();
  await until(feed, ({state}) => state === 'waiting');
  const {error} = await until(feed, ({state}) => state === 'refused');
  t.is(error?.rawMessage, 'Cannot read the filter');
  t.deepEqual(opened, [undefined, 0n, 1n]);
  feed.stop();
});
