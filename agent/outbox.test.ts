import test from 'ava';
import {createOutbox, resultCountMax} from './outbox.ts';

test('hello comes first, then results, then the inventory', t => {
  const outbox = createOutbox(numbered());
  outbox.putInventory({});
  outbox.putResult({commandId: 'c'});
  outbox.putHello({});
  t.deepEqual(
    outbox.due(0).map(({kind}) => kind),
    ['hello', 'result', 'inventory'],
  );
});

test('a report is sent again after a growing pause until it is confirmed', t => {
  const outbox = createOutbox(numbered(), () => 1);
  outbox.putInventory({});
  const pauses: number[] = [];
  for (let nowMs = 0; pauses.length < 8; nowMs += 1000) {
    const [report] = outbox.due(nowMs);
    if (!report) continue;
    outbox.markSent(report, nowMs);
    pauses.push(nowMs);
  }
  const gaps = pauses.slice(1).map((at, index) => at - (pauses[index] ?? 0));
  t.deepEqual(gaps, [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000]);
  outbox.confirm('1');
  t.deepEqual(outbox.due(Number.MAX_SAFE_INTEGER), []);
});

test('a report that is not confirmed goes out in the plain form, too', t => {
  const outbox = createOutbox(numbered(), () => 1);
  outbox.putInventory({});
  const forms: boolean[] = [];
  for (let nowMs = 0; forms.length < 6; nowMs += 300_000) {
    const [report] = outbox.due(nowMs);
    if (!report) continue;
    outbox.markSent(report, nowMs);
    forms.push(report.isPlain === true);
  }
  t.deepEqual(forms, [false, true, false, false, false, true]);
});

test('a new connection makes everything due again', t => {
  const outbox = createOutbox(numbered());
  outbox.putHello({});
  for (const report of outbox.due(0)) outbox.markSent(report, 0);
  t.is(outbox.due(1).length, 0);
  outbox.makeAllDue();
  t.is(outbox.due(1).length, 1);
});

test('a newer inventory replaces the older, and the older one’s receipt confirms nothing', t => {
  const outbox = createOutbox(numbered());
  outbox.putInventory({});
  outbox.putInventory({system: {serial: 'new'}});
  outbox.confirm('1');
  t.deepEqual(
    outbox.due(0).map(({reportId}) => reportId),
    ['2'],
  );
});

test('results are bounded, and none is dropped', t => {
  const outbox = createOutbox(numbered());
  for (let count = 0; count < resultCountMax; count++) outbox.putResult({});
  t.false(outbox.hasRoomForResult());
  outbox.confirm('1');
  t.true(outbox.hasRoomForResult());
});

test('waiting for a receipt ends with it or with the time', async t => {
  const outbox = createOutbox(numbered());
  const confirmed = outbox.waitForReceipt(outbox.putResult({}), 10_000);
  outbox.confirm('1');
  t.true(await confirmed);
  t.false(await outbox.waitForReceipt(outbox.putResult({}), 10));
});

function numbered(): () => string {
  let count = 0;
  return () => String(++count);
}
