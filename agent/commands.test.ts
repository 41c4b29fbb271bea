import test from 'ava';
import * as fc from 'fast-check';
import {parseCommand} from './commands.ts';
import {renewalDelayMs} from './credential.ts';
import {backoffMs} from './waits.ts';

const parse = (command: unknown) => parseCommand(Buffer.from(JSON.stringify(command)), 'm1');

test('each known operation is read', t => {
  const envelope = {commandId: 'c1', machineId: 'm1'};
  const read = (operation: object) => {
    const parsed = parse({...envelope, ...operation});
    return 'command' in parsed ? parsed.command : parsed.problem;
  };
  t.deepEqual(read({reboot: {reason: 'r'}}), {
    commandId: 'c1',
    operation: 'reboot',
    reason: 'r',
  });
  t.like(read({powerOff: {}}), {operation: 'power_off'});
  t.like(read({collectInventory: {}}), {operation: 'collect_inventory'});
  t.like(read({locate: {durationSeconds: 60}}), {operation: 'locate', durationSeconds: 60});
  t.like(read({locate: {durationSeconds: -1}}), {durationSeconds: 0});
  t.like(read({received: {reportIds: ['a', 7, 'b']}}), {reportIds: ['a', 'b']});
  t.is(read({wipe: {}}), 'no known operation');
  t.is(read({reboot: true}), 'no known operation');
});

test('a receipt needs no command id', t => {
  t.true('command' in parse({machineId: 'm1', received: {reportIds: ['a']}}));
  t.deepEqual(parse({machineId: 'm1', reboot: {}}), {problem: 'no command id'});
});

test('field names of the proto file are read too', t => {
  const received = {report_ids: ['a']};
  t.like(parse({machine_id: 'm1', received}), {command: {reportIds: ['a']}});
  const parsed = parse({command_id: 'c1', machine_id: 'm1', collect_inventory: {}});
  t.like(parsed, {command: {commandId: 'c1', operation: 'collect_inventory'}});
});

test('no bytes make the parser throw', t => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 500}), bytes => 'problem' in parseCommand(bytes, 'm1')),
  );
  fc.assert(fc.property(fc.jsonValue(), value => 'problem' in parse(value)));
  t.pass();
});

test('credentials are renewed at 50 to 80 % of their time, and not faster than once a second', t => {
  t.is(renewalDelayMs(3600, 0), 1_800_000);
  t.is(renewalDelayMs(3600, 1), 2_880_000);
  t.is(renewalDelayMs(0, 0), 1000);
  t.true(renewalDelayMs(2 ** 32 - 1, 1) < 2 ** 31);
});

test('pauses double to their limit, half of them random', t => {
  const limits = {firstMs: 100, longestMs: 1000};
  t.deepEqual(
    [0, 1, 2, 3, 4, 99].map(attempt => backoffMs(attempt, limits, 1)),
    [100, 200, 400, 800, 1000, 1000],
  );
  t.is(backoffMs(0, limits, 0), 50);
});
