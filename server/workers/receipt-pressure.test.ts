import test from 'ava';
import {createReceiptPressure} from './receipt-pressure.ts';

test('a burst goes on while more wait at the bus, and is over soon when none does', t => {
  let timeMs = 1000;
  const pressure = createReceiptPressure(() => timeMs);
  t.false(pressure.isBusy());
  pressure.add(1);
  timeMs += 60_000;
  t.true(pressure.isBusy());
  pressure.add(-1);
  pressure.expect(3);
  timeMs += 100;
  t.true(pressure.isBusy(), 'three more were on their way');
  pressure.expect(0);
  t.false(pressure.isBusy(), 'nothing came for a while');
});

test('what the bus promised is not waited for without end', t => {
  let timeMs = 1000;
  const pressure = createReceiptPressure(() => timeMs);
  pressure.add(1);
  pressure.add(-1);
  pressure.expect(1);
  timeMs += 1000;
  t.false(pressure.isBusy());
});
