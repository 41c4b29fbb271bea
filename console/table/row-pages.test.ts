import test from 'ava';
import {createRowPages, type PagePlace} from './row-pages.ts';

/** A server with so many rows, each its own number, that says how many it has as it likes. */
function setUp(count: number, {total = count}: {readonly total?: number} = {}) {
  const asked: PagePlace[] = [];
  const server = {count, total, version: 1, isDown: false, atOnce: 0, atOnceMax: 0};
  const pages = createRowPages<string>(async place => {
    asked.push(place);
    server.atOnce += 1;
    server.atOnceMax = Math.max(server.atOnceMax, server.atOnce);
    await Promise.resolve();
    server.atOnce -= 1;
    if (server.isDown) throw new Error('It is down');
    const from = Number(place.pageToken || 0) + place.skip;
    const to = Math.min(server.count, from + place.pageSize);
    return {
      rows: Array.from(
        {length: Math.max(0, to - from)},
        (_, row) => `${from + row}v${server.version}`,
      ),
      nextPageToken: to < server.count ? String(to) : '',
      total: place.isFirst ? server.total : undefined,
    };
  });
  const at = (index: number) => pages.source().rowAt(index);
  /** Looked at whenever something changed; what never holds ends as AVA's time limit. */
  const eventually = (holds: () => boolean) =>
    new Promise<void>(resolve => {
      const look = () => {
        if (!holds()) return;
        stop();
        resolve();
      };
      const stop = pages.subscribe(look);
      look();
    });
  return {
    server,
    pages,
    asked,
    at,
    eventually,
    /** Scrolls there, and waits for the row. */
    async show(index: number): Promise<void> {
      pages.want(index, index + 20);
      await eventually(() => at(index) !== undefined);
    },
    held: () => pages.source().loadedRows().length,
  };
}

test('what is near the screen is loaded, and how many there are is known from the first page', async t => {
  const {pages, at, show, held, eventually} = setUp(100_000);
  await show(0);
  t.is(at(0), '0v1');
  t.is(pages.source().count, 100_000);
  await eventually(() => held() === 1200);
  t.is(at(1199), '1199v1');
  t.is(at(1200), undefined);
});

test('a jump loads what is there and nothing on the way', async t => {
  const {pages, asked, at, show, eventually} = setUp(100_000);
  await show(0);
  await eventually(() => at(1199) !== undefined);
  const before = asked.length;
  await show(99_980);
  t.is(at(99_999), '99999v1');
  await eventually(() => at(99_000) !== undefined);
  t.is(pages.source().count, 100_000);
  t.true(asked.length - before <= 4, `${asked.length - before} pages`);
  t.is(at(50_000), undefined);
});

test('whoever reads all holds a part of it, and each page is asked for once, by its token', async t => {
  const {asked, show, held, at, server} = setUp(20_000);
  let heldMax = 0;
  for (let index = 0; index < 20_000; index += 40) {
    await show(index);
    heldMax = Math.max(heldMax, held());
  }
  t.is(at(19_999), '19999v1');
  t.true(heldMax <= 6000, `${heldMax} rows`);
  t.is(asked.length, 1 + Math.ceil((20_000 - 200) / 500));
  t.true(server.atOnceMax <= 2);

  await show(0);
  t.is(at(0), '0v1');
});

test('an estimate that was too high or too low ends as what there is', async t => {
  const high = setUp(3000, {total: 3600});
  await high.show(0);
  t.is(high.pages.source().count, 3600);
  high.pages.want(3580, 3599);
  await high.eventually(() => high.pages.source().count === 3000);
  await high.show(2990);

  const low = setUp(3000, {total: 900});
  for (let index = 0; index < 3000; index += 100) await low.show(index);
  t.is(low.pages.source().count, 3000);
});

test('while all is loaded again, what was is shown; afterwards nothing of it', async t => {
  const {server, pages, at, show, eventually} = setUp(100_000);
  await show(0);
  await show(50_000);
  await eventually(() => at(51_000) !== undefined);
  server.version = 2;
  server.count = 99_000;
  server.total = 99_000;
  pages.reload();
  t.is(at(50_000), '50000v1');
  await eventually(() => at(50_000) === '50000v2');
  t.is(pages.source().count, 99_000);
  await eventually(() =>
    pages
      .source()
      .loadedRows()
      .every(row => row.endsWith('v2')),
  );
});

test('a failure is told, and nothing is asked for until somebody tries again', async t => {
  const {server, pages, asked, at, eventually} = setUp(1000);
  server.isDown = true;
  pages.want(0, 20);
  await eventually(() => pages.error() !== undefined);
  pages.want(0, 30);
  t.is(asked.length, 1);
  server.isDown = false;
  pages.reload();
  await eventually(() => at(0) === '0v1');
  t.is(pages.error(), undefined);
});

test('an empty list is one, and a row that changed is changed where it stands', async t => {
  const empty = setUp(0);
  empty.pages.want(0, 0);
  await empty.eventually(() => empty.pages.isReady());
  t.is(empty.pages.source().count, 0);

  const {pages, at, show} = setUp(500);
  await show(300);
  const before = pages.source();
  pages.patch(row => (row === '300v1' ? 'other' : row));
  t.is(at(300), 'other');
  t.is(at(301), '301v1');
  t.not(pages.source(), before);
});
