import {create} from '@bufbuild/protobuf';
import {EventSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
import test from 'ava';
import {emptyJournal, foldBootEvents} from './boot-journal.ts';

const event = (type: string, machineId: string, data: Record<string, string | boolean> = {}) =>
  create(EventSchema, {type, machineId, subject: `boot-sessions/of-${machineId}`, data});

test('a boot is there from its beginning to its end, and keeps what it told first', t => {
  const {boots} = foldBootEvents(emptyJournal, [
    event('boot_session.opened', 'a', {macAddress: '52:54:00:00:00:01'}),
    event('boot_session.opened', 'b'),
    event('boot_session.stalled', 'a'),
    event('boot_session.ended', 'b'),
  ]);
  t.is(boots.size, 1);
  t.like(boots.get('of-a'), {state: 'stalled', macAddress: '52:54:00:00:00:01'});
});

test('a decision waits until it is used up, over or taken back; an entry only until the last', t => {
  const set = (machineId: string, persistent: boolean) =>
    event('boot_override.set', machineId, {action: 'local_disk', persistent});
  const journal = foldBootEvents(emptyJournal, [
    set('a', false),
    set('a', true),
    set('b', false),
    set('c', true),
    set('d', false),
  ]);
  t.is(journal.overrides.size, 5);
  const {overrides} = foldBootEvents(journal, [
    event('boot_override.consumed', 'a', {action: 'local_disk'}),
    event('boot_override.expired', 'b'),
    event('boot_override.cleared', 'c', {persistent: true}),
    event('boot_override.cleared', 'd', {persistent: true}),
  ]);
  t.deepEqual([...overrides.keys()], ['entry a', 'once d']);
});
