import test from 'ava';
import {actorWord, eventSummary, eventTone, parsePosition, parseTypes} from './event-words.ts';

test('what an event tells fits in a line, ids shortened', t => {
  t.is(
    eventSummary({
      data: {
        from: 'enrolled',
        reason: 'Build "0198c0de-0000-7000-8000-000000000001" was asked for',
      },
    }),
    'from enrolled · Build "0198c0de" was asked for',
  );
  t.is(
    eventSummary({data: {fields: ['a', 'b', 'c', 'd', 'e', 'f'], count: 3}}),
    'fields a, b, c, d and 2 more · count 3',
  );
  t.is(eventSummary({data: {action: 'image', persistent: true}}), 'image · for all boots');
  t.is(eventSummary({data: {set: {rack: 'r7'}}}), 'set rack=r7');
  t.is(eventSummary({}), '');
  t.true(eventSummary({data: {reason: 'x'.repeat(5000)}}).length < 200);
});

test('tone and actor are words of their own', t => {
  t.is(eventTone({type: 'rollout.halted'}), 'bad');
  t.is(eventTone({type: 'group.updated'}), 'idle');
  t.is(actorWord('user:ada'), 'ada');
  t.is(actorWord('agent:0198c0de'), 'agent');
  t.is(actorWord('builder:b1'), 'builder:b1');
});

test('of an address only what the server takes is asked for', t => {
  t.is(parseTypes('machine.,build.failed,Bad Type,x'), 'machine.,build.failed');
  t.is(parsePosition('42'), 42n);
  for (const wrong of [undefined, '', '-1', '1.5', 'x']) t.is(parsePosition(wrong), undefined);
});
