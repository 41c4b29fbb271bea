import test from 'ava';
import {chosenValues, conjuncts, toggleValue} from './filter-terms.ts';

const toggles = test.macro({
  exec(t, filter: string, field: string, value: string, expected: string) {
    t.is(toggleValue(filter, field, value), expected);
  },
  title: (_, filter, field, value) => `"${filter}" with ${field} = ${value} toggled`,
});

test(toggles, '', 'state', 'READY', 'state = READY');
test(toggles, 'state = READY', 'state', 'READY', '');
test(toggles, 'state = READY', 'state', 'ACTIVE', 'state = (READY OR ACTIVE)');
test(toggles, 'state = (READY OR ACTIVE)', 'state', 'READY', 'state = ACTIVE');
test(toggles, 'poweredge', 'product', 'R 740', 'poweredge AND product = "R 740"');
test(toggles, 'a AND state = READY AND b', 'state', 'READY', 'a AND b');
test(toggles, 'labels.rack = r7', 'labels.rack', 'r8', 'labels.rack = (r7 OR r8)');

test('AND inside of quotes and brackets joins nothing at the top', t => {
  t.deepEqual(conjuncts('notes : "a AND b" AND (c AND d) AND e OR f'), [
    'notes : "a AND b"',
    '(c AND d)',
    'e OR f',
  ]);
});

test('values come back as they went in', t => {
  const filter = toggleValue('', 'product', 'say "hi" * \\');
  t.deepEqual(chosenValues(filter, 'product'), ['say "hi" * \\']);
});
