import test from 'ava';
import * as fc from 'fast-check';
import {agreeOnTerms, parsePacket, toNetascii} from './tftp-packets.ts';

const text = fc
  .string({unit: fc.integer({min: 0x20, max: 0x7e}).map(code => String.fromCodePoint(code))})
  .filter(value => value !== '');

test('any bytes are a packet or nothing', t => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 600}), bytes => {
      const packet = parsePacket(Buffer.from(bytes));
      t.true(packet === undefined || ['read', 'write', 'ack', 'error'].includes(packet.op));
    }),
  );
});

test('any bytes behind a known opcode are a packet or nothing', t => {
  fc.assert(
    fc.property(fc.integer({min: 0, max: 7}), fc.uint8Array({maxLength: 600}), (opcode, bytes) => {
      t.notThrows(() => parsePacket(Buffer.from([0, opcode, ...bytes])));
    }),
  );
});

test('a read request gives back what was put in', t => {
  const options = fc.array(fc.tuple(text, text), {maxLength: 4});
  fc.assert(
    fc.property(text, text, options, (name, mode, pairs) => {
      const bytes = Buffer.from(`\0\x01${[name, mode, ...pairs.flat()].join('\0')}\0`, 'latin1');
      fc.pre(bytes.length <= 512);
      const packet = parsePacket(bytes);
      t.like(packet, {op: 'read', name, mode: mode.toLowerCase()});
      for (const [option] of pairs)
        t.true(packet?.op === 'read' && packet.options.has(option.toLowerCase()));
    }),
  );
});

test('options are case-insensitive, and the first of two counts', t => {
  const packet = parsePacket(
    Buffer.from('\0\x01snponly.efi\0OCTET\0BLKSIZE\x001468\0blksize\x00512\0TSize\x000\0'),
  );
  t.deepEqual(packet, {
    op: 'read',
    name: 'snponly.efi',
    mode: 'octet',
    options: new Map([
      ['blksize', '1468'],
      ['tsize', '0'],
    ]),
  });
});

test('an over-long or unfinished request is nothing', t => {
  t.is(parsePacket(Buffer.from(`\0\x01${'x'.repeat(600)}\0octet\0`)), undefined);
  t.is(parsePacket(Buffer.from('\0\x01snponly.efi\0octet')), undefined);
  t.is(parsePacket(Buffer.from('\0\x01\0octet\0')), undefined);
  t.is(parsePacket(Buffer.from([0, 1])), undefined);
});

const agrees = test.macro({
  exec(t, asked: Record<string, string>, acknowledged: string, terms: object) {
    const agreed = agreeOnTerms(new Map(Object.entries(asked)), 12_345, 1468);
    t.is(agreed.optionAck?.toString('latin1', 2).replaceAll('\0', ' ').trim() ?? '', acknowledged);
    t.like(agreed, terms);
  },
  title: (_, asked) => `terms for ${JSON.stringify(asked)}`,
});

test(agrees, {}, '', {blockBytes: 512, windowBlocks: 1, timeoutMs: undefined});
test(agrees, {blksize: '1432'}, 'blksize 1432', {blockBytes: 1432});
test(agrees, {blksize: '65464'}, 'blksize 1468', {blockBytes: 1468});
test(agrees, {blksize: '7'}, '', {blockBytes: 512});
test(agrees, {blksize: '-1'}, '', {blockBytes: 512});
test(agrees, {blksize: '1e3'}, '', {blockBytes: 512});
test(agrees, {windowsize: '16'}, 'windowsize 16', {windowBlocks: 16});
test(agrees, {windowsize: '65535'}, 'windowsize 64', {windowBlocks: 64});
test(agrees, {windowsize: '0'}, '', {windowBlocks: 1});
test(agrees, {timeout: '3'}, 'timeout 3', {timeoutMs: 3000});
test(agrees, {timeout: '256'}, '', {timeoutMs: undefined});
test(agrees, {tsize: '0'}, 'tsize 12345', {blockBytes: 512});
test(agrees, {multicast: ''}, '', {blockBytes: 512});

test('netascii turns line ends', t => {
  t.is(toNetascii(Buffer.from('a\nb\rc')).toString(), 'a\r\nb\r\0c');
});
