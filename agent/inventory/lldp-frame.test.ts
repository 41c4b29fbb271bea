import test from 'ava';
import fc from 'fast-check';
import {parseLldpFrame} from './lldp-frame.ts';
import {parseHexDump} from './lldp.ts';

const tlv = (type: number, value: Buffer) => {
  const head = Buffer.alloc(2);
  head.writeUInt16BE((type << 9) | value.length);
  return Buffer.concat([head, value]);
};
const header = Buffer.from('0180c200000e00112233445588cc', 'hex');
const frame = Buffer.concat([
  header,
  tlv(1, Buffer.from('04001122334455', 'hex')),
  tlv(2, Buffer.concat([Buffer.from([7]), Buffer.from('Ethernet1/7')])),
  tlv(3, Buffer.from([0, 120])),
  tlv(4, Buffer.from('rack12 u07')),
  tlv(5, Buffer.from('lab-sw01')),
  tlv(127, Buffer.from('0080c2010070', 'hex')),
  tlv(0, Buffer.alloc(0)),
]);
const neighbour = {
  interface: 'eth0',
  chassisId: '00:11:22:33:44:55',
  systemName: 'lab-sw01',
  portId: 'Ethernet1/7',
  portDescription: 'rack12 u07',
  vlanId: 112,
};

test('a switch is read from its frame, also as tcpdump prints it', t => {
  t.deepEqual(parseLldpFrame('eth0', frame), neighbour);
  const rows = frame.toString('hex').match(/.{1,32}/g) ?? [];
  const dump = rows.map((row, index) => {
    const words = (row.match(/.{1,4}/g) ?? []).join(' ');
    return `\t0x${(index * 16).toString(16).padStart(4, '0')}:  ${words}`;
  });
  const text = `12:00:00.000000 LLDP, length ${frame.length}\n${dump.join('\n')}\n`;
  t.deepEqual(parseHexDump(text), frame);
});

test('another protocol is no neighbour', t => {
  t.is(parseLldpFrame('eth0', Buffer.from('ffffffffffff0011223344550800', 'hex')), undefined);
});

test('junk and cut frames never throw', t => {
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 200}), bytes => {
      parseLldpFrame('eth0', Buffer.concat([header, bytes]));
      return true;
    }),
  );
  for (let length = 0; length < frame.length; length += 1)
    t.notThrows(() => parseLldpFrame('eth0', frame.subarray(0, length)));
});
