import {zstdDecompressSync} from 'node:zlib';
import type {AgentReportJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import test from 'ava';
import {reportText} from './report-text.ts';

const pack = (inventory: HardwareJson, isPlain = false): AgentReportJson =>
  JSON.parse(reportText({reportId: 'r', kind: 'inventory', body: {inventory}, isPlain}, 'm'));
const digest = (inventory: HardwareJson) => pack(inventory).packedInventory?.wordsSha256;

test('an inventory is packed with its envelope, which stands outside, too', t => {
  const inventory = {system: {serial: 'A'}, disks: [{name: 'sda'}]};
  const {packedInventory, ...envelope} = pack(inventory);
  t.deepEqual(envelope, {reportId: 'r', machineId: 'm'});
  const text = zstdDecompressSync(Buffer.from(packedInventory?.report ?? '', 'base64')).toString();
  t.deepEqual(JSON.parse(text), {...envelope, inventory});
  t.deepEqual(pack(inventory, true), {...envelope, inventory});
});

test('anything else goes as it is', t => {
  const hello = {bootId: 'b'};
  const text = reportText({reportId: 'r', kind: 'hello', body: {hello}}, 'm');
  t.deepEqual(JSON.parse(text), {reportId: 'r', machineId: 'm', hello});
});

test('what passes has no part in the digest, wherever it stands, and all else has', t => {
  const inventory = (second: number, serial: string): HardwareJson => ({
    collectTime: `2026-01-01T00:00:0${second}Z`,
    disks: [{serial, health: {powerOnHours: String(second)}}],
    collectors: [{name: 'disks', durationMs: second}],
  });
  t.is(digest(inventory(1, 'A')), digest(inventory(2, 'A')));
  t.not(digest(inventory(1, 'A')), digest(inventory(1, 'B')));
  t.not(digest({system: {serial: '"durationMs":1'}}), digest({system: {serial: '"durationMs":2'}}));
});
