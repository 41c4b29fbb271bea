import {randomUUID} from 'node:crypto';
import test from 'ava';
import * as fc from 'fast-check';
import {readInventoryText} from './inventory-text.ts';

const machineId = randomUUID();
const text = (inventory: object, reportId: string = randomUUID()) =>
  JSON.stringify({reportId, machineId, inventory});
const digest = (report: string) => readInventoryText(report)?.wireSha256.toString('hex');

const collector = (durationMs: number) => ({collectors: [{name: 'cpus', durationMs}]});

test('times, durations and hours are no difference', t => {
  const report = (time: string, count: number) =>
    text({collectTime: time, disks: [{health: {powerOnHours: `${count}`}}], ...collector(count)});
  t.is(digest(report('2026-01-01T00:00:00Z', 1)), digest(report('2027-05-01T11:22:33.5Z', 47_000)));
});

test('anything else is', t => {
  t.not(digest(text({system: {serial: 'A'}})), digest(text({system: {serial: 'B'}})));
  t.not(digest(text(collector(1))), digest(text({collectors: [{name: 'gpus', durationMs: 1}]})));
});

test('a serial that quotes the name of a time is not left out', t => {
  const named = (value: string) => text({system: {serial: `"durationMs":${value}`}});
  t.not(digest(named('1')), digest(named('2')));
  const timed = (value: string) => text({system: {serial: `"collectTime":"${value}"`}});
  t.not(digest(timed('1')), digest(timed('2')));
});

test('two inventories with one digest differ in passing values only', t => {
  const inventory = fc.record(
    {
      system: fc.record({serial: fc.string({maxLength: 4})}),
      disks: fc.array(
        fc.record({name: fc.string({maxLength: 2}), firmware: fc.string({maxLength: 2})}),
      ),
    },
    {requiredKeys: []},
  );
  fc.assert(
    fc.property(inventory, inventory, (a, b) => {
      t.is(digest(text(a)) === digest(text(b)), JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test('what is not written as agents write it is read whole', t => {
  t.is(readInventoryText('no JSON'), undefined);
  t.is(
    readInventoryText(JSON.stringify({inventory: {}, reportId: randomUUID(), machineId})),
    undefined,
  );
  t.is(readInventoryText(text({}, 'no id')), undefined);
});
