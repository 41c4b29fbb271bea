import test from 'ava';
import * as fc from 'fast-check';
import {
  decodeFreeText,
  parseMacAddress,
  parseSerial,
  parseUuid,
  plainIpAddress,
  serialKey,
} from './identifiers.ts';

const macBytes = fc
  .uint8Array({minLength: 6, maxLength: 6})
  .map(bytes => bytes.with(0, (bytes[0] ?? 0) & 0xfe))
  .filter(bytes => bytes.some(byte => byte !== 0));
const hexOf = (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(16).padStart(2, '0'));

test('every spelling of a MAC address is the same address', t => {
  fc.assert(
    fc.property(
      macBytes,
      fc.constantFrom(':', '-', ''),
      fc.boolean(),
      (bytes, separator, upper) => {
        const text = hexOf(bytes).join(separator);
        t.is(parseMacAddress(upper ? text.toUpperCase() : text), hexOf(bytes).join(':'));
      },
    ),
  );
});

test('any text is either no MAC address or one in canonical form', t => {
  fc.assert(
    fc.property(fc.string({maxLength: 40}), text => {
      const mac = parseMacAddress(text);
      t.true(mac === undefined || /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac));
    }),
  );
});

test('every spelling of a UUID is the same UUID', t => {
  fc.assert(
    fc.property(fc.uuid(), fc.boolean(), fc.boolean(), (uuid, bare, upper) => {
      const text = bare ? uuid.replaceAll('-', '') : uuid;
      t.is(parseUuid(upper ? text.toUpperCase() : text), uuid);
    }),
  );
});

test('free text survives the way through hexraw', t => {
  const printable = fc.string({
    unit: fc.integer({min: 0x20, max: 0x7e}).map(code => String.fromCodePoint(code)),
    minLength: 1,
    maxLength: 64,
  });
  fc.assert(
    fc.property(printable, text => {
      t.is(decodeFreeText(Buffer.from(text, 'latin1').toString('hex')), text);
    }),
  );
});

test('any text decodes without an error and serials are printable', t => {
  fc.assert(
    fc.property(fc.string({unit: 'binary', maxLength: 300}), text => {
      const serial = parseSerial(decodeFreeText(text));
      t.true(serial === undefined || /^[\x21-\x7e]([\x20-\x7e]{0,127})$/.test(serial));
    }),
  );
});

const refused = test.macro({
  exec(t, parse: (value: string) => string | undefined, text: string) {
    t.is(parse(text), undefined);
  },
  title: (_, parse: {readonly name: string}, text) => `${parse.name} refuses "${text}"`,
});

for (const text of [
  '00:00:00:00:00:00',
  'ff:ff:ff:ff:ff:ff',
  '01:00:5e:00:00:01',
  '52:54-00:aa:00:01',
  '52:54:00:aa:00',
  '5254.00aa.0001',
  '525400aa000g',
  '',
])
  test(refused, parseMacAddress, text);

for (const text of [
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  '03000200-0400-0500-0006-000700080009',
  '4c4c4544-0042-4310-8031-b1c04f31323',
  '4c4c45440042-4310-8031-b1c04f313233',
])
  test(refused, parseUuid, text);

for (const text of [
  'To be filled by O.E.M.',
  'Default string',
  'none',
  '0000000000',
  'XXXXXXX',
  '   ',
  'é-serial',
  'x'.repeat(64) + 'y'.repeat(65),
])
  test(refused, parseSerial, text);

test('serials keep their spelling and compare without case', t => {
  t.is(parseSerial(' ABC1234 '), 'ABC1234');
  t.is(serialKey('abc1234'), serialKey('ABC1234'));
});

test('plain text in place of hexraw is taken as it stands', t => {
  t.is(decodeFreeText('ABC1234'), 'ABC1234');
  t.is(decodeFreeText('41424331323334'), 'ABC1234');
  t.is(decodeFreeText('ABC123'), 'ABC123');
});

test('addresses lose the IPv4 mapping and the zone', t => {
  t.is(plainIpAddress('::ffff:10.0.0.1'), '10.0.0.1');
  t.is(plainIpAddress('fe80::1%eth0'), 'fe80::1');
  t.is(plainIpAddress('10.0.0.1'), '10.0.0.1');
});
