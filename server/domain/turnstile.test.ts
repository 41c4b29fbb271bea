import test from 'ava';
import {createTurnstile} from './turnstile.ts';

function hold() {
  const {promise, resolve} = Promise.withResolvers<void>();
  return {promise, resolve};
}

test('so many at once, the others in order, and each turn is given on', async t => {
  const turnstile = createTurnstile({
    what: 'enrol',
    atOnceMax: 2,
    waitingMax: 10,
    waitMsMax: 60_000,
  });
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  await Promise.all(
    [1, 2, 3, 4, 5, 6].map(number =>
      turnstile.pass(async () => {
        inside++;
        most = Math.max(most, inside);
        await Promise.resolve();
        order.push(number);
        inside--;
      }),
    ),
  );
  t.is(most, 2);
  t.deepEqual(order, [1, 2, 3, 4, 5, 6]);
});

test('a failure gives its turn on too', async t => {
  const turnstile = createTurnstile({
    what: 'enrol',
    atOnceMax: 1,
    waitingMax: 1,
    waitMsMax: 60_000,
  });
  await t.throwsAsync(
    turnstile.pass(() => Promise.reject(new Error('no'))),
    {message: 'no'},
  );
  t.is(await turnstile.pass(() => Promise.resolve(1)), 1);
});

test('who would be one too many is told to come again', async t => {
  const turnstile = createTurnstile({
    what: 'enrol',
    atOnceMax: 1,
    waitingMax: 1,
    waitMsMax: 60_000,
  });
  const first = hold();
  const running = turnstile.pass(() => first.promise);
  const waiting = turnstile.pass(() => Promise.resolve('done'));
  await t.throwsAsync(
    turnstile.pass(() => Promise.resolve()),
    {message: 'Cannot enrol now: 1 wait already; try again'},
  );
  first.resolve();
  await running;
  t.is(await waiting, 'done');
});

test('what came too late is not begun', async t => {
  const turnstile = createTurnstile({what: 'enrol', atOnceMax: 1, waitingMax: 5, waitMsMax: -1});
  const first = hold();
  const running = turnstile.pass(() => first.promise);
  let begun = false;
  const late = turnstile.pass(async () => {
    begun = true;
  });
  first.resolve();
  await running;
  await t.throwsAsync(late, {message: /its turn did not come within/});
  t.false(begun);
  t.is(await turnstile.pass(() => Promise.resolve(1)), 1);
});
