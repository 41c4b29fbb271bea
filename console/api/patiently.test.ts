import {Code, ConnectError} from '@connectrpc/connect';
import test from 'ava';
import {patiently} from './patiently.ts';

const minuteMs = 60_000;
const away = () => new ConnectError('away', Code.Unavailable);

/** Fails so often, then answers. */
function asking(failures: number, error: () => unknown = away) {
  const asked = {count: 0};
  const ask = async () => {
    asked.count += 1;
    if (asked.count <= failures) throw error();
    return 'the answer';
  };
  return {asked, ask};
}

test('a question that fails in passing is asked again', async t => {
  const {asked, ask} = asking(2);
  const delays: number[] = [];
  const answer = await patiently(ask, new AbortController().signal, failures => {
    delays.push(failures);
    return 0;
  });
  t.is(answer, 'the answer');
  t.is(asked.count, 3);
  t.deepEqual(delays, [0, 1]);
});

test('what would fail again is told at once, and nothing is asked for ever', async t => {
  const {signal} = new AbortController();
  const refused = asking(1, () => new ConnectError('no', Code.PermissionDenied));
  await t.throwsAsync(
    patiently(refused.ask, signal, () => 0),
    {message: /no/},
  );
  t.is(refused.asked.count, 1);
  const never = asking(Infinity);
  await t.throwsAsync(
    patiently(never.ask, signal, () => 0),
    {message: /away/},
  );
  t.is(never.asked.count, 4);
});

test('a pause ends when nobody waits any more, and nothing is asked after it', async t => {
  const stop = new AbortController();
  const {asked, ask} = asking(1);
  const begun = performance.now();
  const waiting = patiently(ask, stop.signal, () => {
    // In the middle of the pause.
    setImmediate(() => stop.abort(new Error('left the page')));
    return minuteMs;
  });
  await t.throwsAsync(waiting, {message: 'left the page'});
  t.true(performance.now() - begun < minuteMs / 2);
  t.is(asked.count, 1);
});

test('who has left before a pause begins does not wait for it', async t => {
  const stop = new AbortController();
  const {asked, ask} = asking(1);
  const waiting = patiently(ask, stop.signal, () => {
    stop.abort(new Error('left the page'));
    return minuteMs;
  });
  await t.throwsAsync(waiting, {message: 'left the page'});
  t.is(asked.count, 1);
});
