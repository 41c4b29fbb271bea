import {
  buildEntryPoint2,
  buildEntryPoint3,
  buildSmbiosTable,
  smbiosBody,
  type SmbiosSource,
} from '@muster/test/helpers/smbios-table.ts';
import test from 'ava';
import * as fc from 'fast-check';
import {parseEntryPoint, parseSmbios, type SmbiosStructure, stringAt, uuidAt} from './smbios.ts';
import {
  dimmBytes,
  readBaseboard,
  readChassis,
  readFirmware,
  readMemory,
  readProcessors,
  readSystem,
} from './smbios-hardware.ts';
import qemu from './smbios-qemu-q35.json' with {type: 'json'};

const uuidBytes = Buffer.from('4c4c45440042431080 31b1c04f313233'.replace(' ', ''), 'hex');

const system: SmbiosSource = {
  type: 1,
  body: smbiosBody(0x1b, {
    4: {byte: 1},
    5: {byte: 2},
    7: {byte: 3},
    8: {bytes: uuidBytes},
    0x19: {byte: 4},
    0x1a: {byte: 9},
  }),
  strings: ['Dell Inc.', ' PowerEdge R740  ', 'ABC1234', 'SKU=NotProvided'],
};

test('the system structure gives names, serial and UUID', t => {
  const table = buildSmbiosTable([system]);
  const parsed = parseSmbios(buildEntryPoint3(3, 2, table.length), table);
  t.deepEqual(readSystem(parsed), {
    manufacturer: 'Dell Inc.',
    product: 'PowerEdge R740',
    serial: 'ABC1234',
    // The first three fields are little-endian in the table.
    uuid: '44454c4c-4200-1043-8031-b1c04f313233',
    sku: 'SKU=NotProvided',
  });
});

test('the tables of a QEMU machine are read as dmidecode reads them', t => {
  const bytes = (text: string) => Buffer.from(text, 'base64');
  const parsed = parseSmbios(bytes(qemu.entryPoint), bytes(qemu.table));
  t.deepEqual(parsed.version, {major: 2, minor: 8});
  t.like(readSystem(parsed), {
    manufacturer: 'Dell Inc.',
    product: 'PowerEdge R740',
    serial: 'ABC1234',
    uuid: '4c4c4544-0042-4310-8031-b1c04f313233',
    family: 'PowerEdge',
  });
  t.like(readChassis(parsed), {type: 'Other', assetTag: 'RACK12-U07'});
  t.like(readFirmware(parsed), {version: '2.19.1', releaseDate: '01/02/2026'});
  t.deepEqual(
    readProcessors(parsed).map(({socket}) => socket),
    ['CPU 0', 'CPU 1'],
  );
  t.like(readMemory(parsed), {
    totalBytes: '1073741824',
    dimms: [{locator: 'DIMM 0', serial: 'D1M', speedMts: 2933, partNumber: 'M393'}],
  });
});

test('before version 2.6 a UUID stands in the order of its text', t => {
  const table = buildSmbiosTable([system]);
  const entry = buildEntryPoint2(2, 5, {bytes: table.length, count: 2});
  t.is(readSystem(parseSmbios(entry, table))?.uuid, '4c4c4544-0042-4310-8031-b1c04f313233');
});

test('firmware that writes 2.51 means 2.6', t => {
  const entry = buildEntryPoint2(2, 51, {bytes: 100, count: 2});
  t.deepEqual(parseEntryPoint(entry)?.version, {major: 2, minor: 6});
});

test('an entry point with a wrong checksum is none', t => {
  const entry = buildEntryPoint3(3, 2, 100);
  entry[12] = 1;
  t.is(parseEntryPoint(entry), undefined);
});

test('board, chassis and firmware come from their first structure', t => {
  const strings = ['Maker', 'Thing', '1.0', 'S1', 'A1'];
  const numbers = {4: {byte: 1}, 5: {byte: 2}, 6: {byte: 3}, 7: {byte: 4}, 8: {byte: 5}};
  const table = buildSmbiosTable([
    {type: 0, body: smbiosBody(0x18, {4: {byte: 1}, 5: {byte: 3}, 8: {byte: 2}}), strings},
    {type: 2, body: smbiosBody(0x0f, numbers), strings},
    // 0x97: a lock, and type 0x17.
    {type: 3, body: smbiosBody(0x15, {...numbers, 5: {byte: 0x97}}), strings},
    {type: 2, body: smbiosBody(0x0f, numbers), strings: ['Other']},
  ]);
  const parsed = parseSmbios(undefined, table);
  t.deepEqual(readFirmware(parsed), {vendor: 'Maker', version: '1.0', releaseDate: 'Thing'});
  t.like(readBaseboard(parsed), {manufacturer: 'Maker', serial: 'S1', assetTag: 'A1'});
  t.like(readChassis(parsed), {type: 'Rack Mount Chassis', version: '1.0', serial: 'S1'});
});

test('empty processor sockets are left out, and large counts come from the later words', t => {
  const socket = {4: {byte: 1}, 7: {byte: 2}, 0x10: {byte: 3}, 0x14: {word: 3500}};
  const populated = {...socket, 0x18: {byte: 0x41}, 0x23: {byte: 255}, 0x25: {byte: 255}};
  const counts = {0x2a: {word: 288}, 0x2e: {word: 576}};
  const strings = ['CPU1', 'Maker', 'Model'];
  const table = buildSmbiosTable([
    {type: 4, body: smbiosBody(0x30, {...populated, ...counts}), strings},
    {type: 4, body: smbiosBody(0x30, {...socket, 0x18: {byte: 0}}), strings},
  ]);
  t.deepEqual(readProcessors(parseSmbios(undefined, table)), [
    {socket: 'CPU1', manufacturer: 'Maker', model: 'Model', maxMhz: 3500, cores: 288, threads: 576},
  ]);
});

test('memory is the sum of populated slots of every size form', t => {
  const table = buildSmbiosTable([
    {type: 16, body: smbiosBody(0x17, {5: {byte: 3}, 6: {byte: 6}})},
    dimm({0x0c: {word: 0x7fff}, 0x1c: {dword: 65_536}}),
    dimm({0x0c: {word: 16_384}, 0x12: {byte: 0x1a}, 0x0e: {byte: 9}, 0x15: {word: 2933}}),
    dimm({0x0c: {word: 0}}),
    dimm({0x0c: {word: 0xffff}}),
  ]);
  const memory = readMemory(parseSmbios(undefined, table));
  t.like(memory, {
    totalBytes: String((65_536 + 16_384) * 1024 * 1024),
    slots: 4,
    errorCorrection: 'Multi-bit ECC',
  });
  t.is(memory?.dimms?.length, 3);
  t.like(memory?.dimms?.[1], {
    type: 'DDR4',
    formFactor: 'DIMM',
    speedMts: 2933,
    locator: 'A1',
    serial: '0x1',
  });
});

test('a size in kilobytes has the highest bit', t => {
  const table = buildSmbiosTable([dimm({0x0c: {word: 0x8200}})]);
  const [found] = parseSmbios(undefined, table).structures;
  t.is(found && dimmBytes(found), 512n * 1024n);
});

test('junk never throws and never runs past the table', t => {
  fc.assert(
    fc.property(
      fc.option(fc.uint8Array({maxLength: 64}), {nil: undefined}),
      fc.uint8Array({maxLength: 2048}),
      (entry, table) => readAll(entry, table),
    ),
    {numRuns: 500},
  );
  t.pass();
});

test('a good table with a damaged byte or a cut end never throws', t => {
  const table = buildSmbiosTable([system, dimm({0x0c: {word: 16}}), system]);
  const entry = buildEntryPoint3(3, 2, table.length);
  fc.assert(
    fc.property(fc.nat(table.length - 1), fc.nat(255), fc.nat(table.length), (at, byte, end) => {
      const damaged = Buffer.from(table);
      damaged[at] = byte;
      readAll(entry, damaged.subarray(0, end));
    }),
    {numRuns: 500},
  );
  t.pass();
});

test('what was built is what is parsed', t => {
  const text = fc.string({
    minLength: 1,
    maxLength: 40,
    unit: fc.constantFrom('a', 'Z', '0', ' ', '-', '/'),
  });
  const source = fc.record({
    type: fc.integer({min: 0, max: 126}),
    body: fc.uint8Array({maxLength: 60}),
    strings: fc.array(text, {maxLength: 6}),
  });
  fc.assert(
    fc.property(fc.array(source, {maxLength: 20}), sources => {
      const table = buildSmbiosTable(sources);
      const {structures} = parseSmbios(buildEntryPoint3(3, 0, table.length), table);
      t.deepEqual(
        structures.slice(0, -1).map(({type, data, strings}) => ({
          type,
          body: new Uint8Array(data.subarray(4)),
          strings,
        })),
        sources,
      );
    }),
    {numRuns: 100},
  );
});

test('a string number beyond the set is no string', t => {
  const found: SmbiosStructure = {
    type: 1,
    handle: 0,
    data: Buffer.from([1, 5, 0, 0, 2]),
    strings: ['a'],
  };
  t.is(stringAt(found, 4), undefined);
  t.is(uuidAt(found, 8, {major: 3, minor: 0}), undefined);
});

function dimm(values: Parameters<typeof smbiosBody>[1]): SmbiosSource {
  return {
    type: 17,
    body: smbiosBody(0x5c, {0x10: {byte: 1}, 0x18: {byte: 2}, ...values}),
    strings: ['A1', '0x1'],
  };
}

function readAll(entry: Uint8Array | undefined, table: Uint8Array): void {
  const parsed = parseSmbios(entry, table);
  readSystem(parsed);
  readBaseboard(parsed);
  readChassis(parsed);
  readFirmware(parsed);
  readProcessors(parsed);
  readMemory(parsed);
}
