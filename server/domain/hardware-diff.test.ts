import test from 'ava';
import * as fc from 'fast-check';
import {
  applyChanges,
  countChanges,
  diffParts,
  type PartChange,
  settleParts,
} from './hardware-diff.ts';
import {arrangeParts, digestParts, type Part, partKinds} from './hardware-parts.ts';
import {describeChange} from './hardware-words.ts';

const part = (text: string, attributes: Record<string, string> = {}): Part => {
  const [kind = '', slot = '', serial = '', model = ''] = text.split('|');
  return {kind: kind as Part['kind'], slot, serial, model, attributes};
};
const parts = (...texts: readonly string[]) => arrangeParts(texts.map(text => part(text)));
const brief = (changes: readonly PartChange[]) => changes.map(describeChange);

const differs = test.macro({
  exec(t, before: readonly string[], after: readonly string[], expected: readonly string[]) {
    t.deepEqual(brief(diffParts(parts(...before), parts(...after))), expected);
  },
  title: (name = '') => name,
});

test(
  'nothing changes in any order',
  differs,
  ['dimm|A1|S1|M', 'disk|0|D|X'],
  ['disk|0|D|X', 'dimm|A1|S1|M'],
  [],
);
test('a part comes', differs, [], ['disk|0|D1|X'], ['Disk D1 (X) in slot 0 added']);
test('a part goes', differs, ['disk|0|D1|X'], [], ['Disk D1 (X) in slot 0 removed']);
test(
  'another serial in the slot',
  differs,
  ['disk|0|D1|X'],
  ['disk|0|D2|X'],
  ['Disk D1 (X) in slot 0 replaced by Disk D2 (X)'],
);
test(
  'another model in the slot, without serials',
  differs,
  ['gpu|01:00.0||A'],
  ['gpu|01:00.0||B'],
  ['GPU (A) in slot 01:00.0 replaced by GPU (B)'],
);
test(
  'the same serial in another slot',
  differs,
  ['dimm|A1|S1|M'],
  ['dimm|B1|S1|M'],
  ['DIMM S1 (M) moved from slot A1 to slot B1'],
);
test(
  'two modules change places',
  differs,
  ['dimm|A1|S1|M', 'dimm|A2|S2|M'],
  ['dimm|A1|S2|M', 'dimm|A2|S1|M'],
  ['DIMM S2 (M) moved from slot A2 to slot A1', 'DIMM S1 (M) moved from slot A1 to slot A2'],
);
test(
  'one goes and another takes its slot',
  differs,
  ['dimm|A1|S1|M', 'dimm|A2|S2|M'],
  ['dimm|A1|S2|M'],
  ['DIMM S2 (M) moved from slot A2 to slot A1', 'DIMM S1 (M) in slot A1 removed'],
);
test(
  'a bus that is numbered anew',
  differs,
  ['pci|01:00.0||1:1', 'pci|02:00.0||2:2'],
  ['pci|01:00.0||3:3', 'pci|02:00.0||1:1', 'pci|03:00.0||2:2'],
  [
    'PCI device (3:3) in slot 01:00.0 added',
    'PCI device (1:1) moved from slot 01:00.0 to slot 02:00.0',
    'PCI device (2:2) moved from slot 02:00.0 to slot 03:00.0',
  ],
);
test(
  'one module less of several alike without serials',
  differs,
  ['dimm|A1||M', 'dimm|A2||M'],
  ['dimm|A1||M'],
  ['DIMM (M) in slot A2 removed'],
);
test(
  'a serial that can be read at last',
  differs,
  ['dimm|A1||M'],
  ['dimm|A1|S1|M'],
  ['DIMM S1 (M) in slot A1: serial unknown → S1'],
);
test(
  'a serial that two modules claim names neither',
  differs,
  ['dimm|A1|S|M', 'dimm|A2|S|M'],
  ['dimm|A1|S|M', 'dimm|A2|S|M', 'dimm|B1|S|M'],
  ['DIMM (M) in slot B1 added'],
);
test(
  'one serial of two makers is two parts',
  differs,
  ['dimm|A1|S|M1', 'dimm|A2|S|M2'],
  ['dimm|A1|S|M1'],
  ['DIMM S (M2) in slot A2 removed'],
);
test(
  'two ports at one address',
  differs,
  ['nic|01:00.0|aa|M', 'nic|01:00.0|bb|M'],
  ['nic|01:00.0|aa|M'],
  ['NIC bb (M) in slot 01:00.0 #2 removed'],
);

test('attributes say what they were and are', t => {
  const before = [part('firmware|||Dell', {version: '1.2', mode: 'uefi'})];
  const after = [part('firmware|||Dell', {version: '1.3', release_date: '01/02/2026'})];
  const changes = diffParts(before, after);
  t.deepEqual(brief(changes), [
    'Firmware (Dell): mode uefi → unknown, release_date unknown → 01/02/2026, version 1.2 → 1.3',
  ]);
  t.deepEqual(countChanges(changes), {added: 0, removed: 0, replaced: 0, moved: 0, changed: 1});
});

test('two paths of one disk are one disk', t => {
  const path = (slot: string) => part(`disk|${slot}|S1|X`, {wwn: 'naa.5', size_bytes: '8'});
  t.deepEqual(arrangeParts([path('b'), path('a')]), [path('a')]);
});

test('kinds that could not be read are as they were, and missing values too', t => {
  const before = [
    part('bmc||aa|AMI', {firmware_version: '1.0'}),
    part('disk|0|D1|X', {firmware: 'F1', health: 'failed'}),
    part('disk|1|D2|X', {health: 'passed'}),
  ];
  const reported = [part('disk|0|D1|X', {firmware: 'F2'}), part('disk|1|D3|X')];
  t.deepEqual(settleParts(before, reported, new Set(['bmc'])), [
    before[0],
    part('disk|0|D1|X', {firmware: 'F2', health: 'failed'}),
    part('disk|1|D3|X'),
  ]);
});

const name = fc.constantFrom('', 'A', 'B', 'C', 'D');
const anyPart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constantFrom(...partKinds.slice(0, 4)),
  slot: fc.oneof(name, fc.string({maxLength: 3})),
  serial: name,
  model: name,
  attributes: fc.dictionary(fc.constantFrom('size', 'wwn', 'version'), name, {
    noNullPrototype: true,
  }),
});
const anyInventory = fc.array(anyPart, {maxLength: 24}).map(found => arrangeParts(found));

test('what changed, applied, gives what is', t => {
  fc.assert(
    fc.property(anyInventory, anyInventory, (before, after) => {
      const applied = applyChanges(before, diffParts(before, after));
      t.true(digestParts(applied).equals(digestParts(after)));
      t.is(applied.length, after.length);
    }),
  );
});

test('an inventory does not differ from itself, in whatever order it comes', t => {
  const shuffled = anyInventory.chain(found =>
    fc.tuple(fc.constant(found), fc.shuffledSubarray([...found], {minLength: found.length})),
  );
  fc.assert(
    fc.property(shuffled, ([found, again]) => {
      t.deepEqual(diffParts(found, arrangeParts(again)), []);
      t.true(digestParts(found).equals(digestParts(arrangeParts(again))));
    }),
  );
});

test('a kind has each slot once, and each serial of a model once', t => {
  fc.assert(
    fc.property(anyInventory, found => {
      const slots = found.map(({kind, slot}) => `${kind}\n${slot}`);
      t.is(new Set(slots).size, slots.length);
      const serials = found.flatMap(({kind, serial, model}) =>
        serial ? [`${kind}\n${serial}\n${model}`] : [],
      );
      t.is(new Set(serials).size, serials.length);
    }),
  );
});

test('a report that says less changes nothing', t => {
  fc.assert(
    fc.property(anyInventory, fc.constantFrom(...partKinds.slice(0, 4)), (found, unread) => {
      const said = found
        .filter(({kind}) => kind !== unread)
        .map(part => ({...part, attributes: {}}));
      t.deepEqual(diffParts(found, settleParts(found, said, new Set([unread]))), []);
    }),
  );
});
