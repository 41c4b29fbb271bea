import {createHash} from 'node:crypto';
import test from 'ava';
import * as fc from 'fast-check';
import {deriveEndorsementKey, parseDerivedKey, parseManufacturer, parsePublicArea} from './tpm.ts';

/** Given by swtpm 0.7.1. */
const manufacturerAnswer = Buffer.from(
  '80010000001b000000000100000006000000010000010549424d00',
  'hex',
);
const noSuchHandle = Buffer.from('80010000000a0000018b', 'hex');

test('the manufacturer is read from the capability', t => {
  t.is(parseManufacturer(manufacturerAnswer), 'IBM');
  t.is(parseManufacturer(noSuchHandle), undefined);
  t.is(parseManufacturer(undefined), undefined);
});

test('the hash covers the public area and nothing around it', t => {
  const area = Buffer.from('0023000b000300b2', 'hex');
  const length = Buffer.from([0, area.length]);
  const success = Buffer.from('80020000000000000000', 'hex');
  const derived = Buffer.concat([success, Buffer.alloc(8), length, area, Buffer.from('rest')]);
  const hash = createHash('sha256').update(area).digest('hex');
  t.is(parseDerivedKey(derived), hash);
  t.is(parsePublicArea(Buffer.concat([success, length, area]), 10), hash);
  t.is(parseDerivedKey(noSuchHandle), undefined);
  t.is(parseDerivedKey(derived.subarray(0, 22)), undefined);
});

test('a command says its own length', t => {
  t.is(deriveEndorsementKey.readUInt32BE(2), deriveEndorsementKey.length);
});

test('no answer makes the parsers throw', t => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 64}), bytes => {
      parseManufacturer(Buffer.from(bytes));
      parseDerivedKey(Buffer.from(bytes));
    }),
  );
  t.pass();
});
