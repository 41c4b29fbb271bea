import test from 'ava';
import * as fc from 'fast-check';
import {type MacKind, macKind, parseMacAddress, parseSerial, parseUuid} from './identifiers.ts';

const mac = test.macro((t, text: string, expected: string | undefined) => {
  t.is(parseMacAddress(text), expected);
});
test('takes a MAC with colons', mac, '52:54:00:AA:00:01', '52:54:00:aa:00:01');
test('takes a MAC with hyphens', mac, ' 52-54-00-aa-00-01 ', '52:54:00:aa:00:01');
test('takes a bare MAC', mac, '525400aa0001', '52:54:00:aa:00:01');
test('takes a MAC with dots', mac, '5254.00aa.0001', '52:54:00:aa:00:01');
test('refuses mixed separators', mac, '52:54-00:aa:00:01', undefined);
test('refuses seven octets', mac, '52:54:00:aa:00:01:02', undefined);
test('refuses words', mac, 'zz:zz', undefined);

const kind = test.macro((t, text: string, expected: MacKind | undefined) => {
  t.is(macKind(text), expected);
});
test('knows a vendor’s MAC', kind, '3c:ec:ef:00:00:10', 'universal');
test('knows a local MAC', kind, '52:54:00:aa:00:01', 'local');
test('knows a shared MAC', kind, 'be:3a:f2:b6:05:9f', 'shared');
test('zero is no MAC', kind, '00:00:00:00:00:00', undefined);
test('broadcast is no MAC', kind, 'ff:ff:ff:ff:ff:ff', undefined);
test('a group address is no MAC', kind, '01:00:5e:00:00:01', undefined);
test('an example is no MAC', kind, '00:11:22:33:44:55', undefined);

for (const junk of [
  'To be filled by O.E.M.',
  'To Be Filled By O.E.M',
  'Default string',
  'System Serial Number',
  'Not Specified',
  'N/A',
  'None',
  '0000000',
  'XXXXXXXX',
  '123456789',
  '0123456789',
  '..........',
  '1',
  '',
  '\0\0\0',
  'Type2 - Board Serial Number',
  'QM00001',
])
  test(`"${junk.replaceAll('\0', '·')}" is no serial`, t => t.is(parseSerial(junk), undefined));

for (const [text, serial] of [
  ['ABC1234', 'ABC1234'],
  // What the README of Metal Enrollment enrols: its users try it first.
  ['ABC123', 'ABC123'],
  ['  cz 3220\tabcd ', 'CZ 3220 ABCD'],
  ['VMware-56 4d 7a', 'VMWARE-56 4D 7A'],
  ['/.7XK9M2/CN', '/.7XK9M2/CN'],
] as const)
  test(`"${text}" is a serial`, t => t.is(parseSerial(text), serial));

for (const junk of [
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  '03000200-0400-0500-0006-000700080009',
  'Not Settable',
])
  test(`"${junk}" is no UUID`, t => t.is(parseUuid(junk), undefined));

test('takes a UUID in capitals or braces', t => {
  const uuid = '4c4c4544-0042-3510-8051-b7c04f4d3133';
  t.is(parseUuid(uuid.toUpperCase()), uuid);
  t.is(parseUuid(`{${uuid}}`), uuid);
  t.is(parseUuid(uuid.replaceAll('-', '')), uuid);
});

test('parsing is idempotent and never throws', t => {
  fc.assert(
    fc.property(fc.string({unit: 'binary', maxLength: 200}), text => {
      for (const parse of [parseMacAddress, parseUuid, parseSerial]) {
        const once = parse(text);
        if (once !== undefined) t.is(parse(once), once);
      }
    }),
  );
});

test('all forms of one MAC are the same MAC', t => {
  fc.assert(
    fc.property(fc.uint8Array({minLength: 6, maxLength: 6}), octets => {
      const hex = [...octets].map(octet => octet.toString(16).padStart(2, '0'));
      const forms = [hex.join(':'), hex.join('-'), hex.join(''), hex.join(':').toUpperCase()];
      t.deepEqual(new Set(forms.map(parseMacAddress)), new Set([hex.join(':')]));
    }),
  );
});
