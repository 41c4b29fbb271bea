import test from 'ava';
import * as fc from 'fast-check';
import {type Candidate, type Evidence, evidenceItems, identify, noEvidence} from './identity.ts';

const uuid = '4c4c4544-0042-3510-8051-b7c04f4d3133';
const otherUuid = '4c4c4544-0042-3510-8051-b7c04f4d3134';
const macA = '3c:ec:ef:00:00:0a';
const macB = '3c:ec:ef:00:00:0b';

const evidence = (part: Partial<Evidence>): Evidence => ({...noEvidence, ...part});
const candidate = (machineId: string, part: Partial<Evidence>, quarantined = false): Candidate => ({
  machineId,
  quarantined,
  evidence: evidenceItems(evidence(part)),
});

const full = {uuid, systemSerial: 'ABC1234', boardSerial: 'CN7016', macAddresses: [macA]};

const cases = test.macro(
  (t, seen: Partial<Evidence>, known: readonly Candidate[], expected: string) => {
    const match = identify(evidenceItems(evidence(seen)), known);
    t.is(match.kind === 'match' ? match.machineId : match.kind, expected);
  },
);

test('nobody is known', cases, full, [], 'none');
test('the same machine', cases, full, [candidate('a', full)], 'a');
test('known by its MAC alone', cases, full, [candidate('a', {macAddresses: [macA]})], 'a');
test('known by its serial alone', cases, full, [candidate('a', {systemSerial: 'abc1234'})], 'a');
test(
  'a virtual machine known by its local MAC alone',
  cases,
  {macAddresses: ['52:54:00:aa:00:01']},
  [candidate('a', {macAddresses: ['52:54:00:aa:00:01']})],
  'a',
);
test('an exchanged NIC', cases, {...full, macAddresses: [macB]}, [candidate('a', full)], 'a');
test(
  'one UUID on two machines with serials',
  cases,
  {uuid, systemSerial: 'XYZ9876', macAddresses: [macB]},
  [candidate('a', full)],
  'none',
);
test(
  'one UUID, no serial, other MAC: may be both',
  cases,
  {uuid, macAddresses: [macB]},
  [candidate('a', {uuid, macAddresses: [macA]})],
  'conflict',
);
test(
  'an exchanged board',
  cases,
  {...full, uuid: otherUuid, boardSerial: 'CN9999', macAddresses: [macB]},
  [candidate('a', full)],
  'none',
);
test(
  'an exchanged board with the old disks and DIMMs',
  cases,
  {
    ...full,
    uuid: otherUuid,
    boardSerial: 'CN7016',
    macAddresses: [macB],
    diskSerials: ['S1X2', 'S1X3', 'S1X4'],
  },
  [candidate('a', {...full, diskSerials: ['S1X2', 'S1X3', 'S1X4']})],
  'conflict',
);
test(
  'a NIC moved into another machine',
  cases,
  {...full, macAddresses: [macA, macB]},
  [
    candidate('a', full),
    candidate('b', {uuid: otherUuid, systemSerial: 'XYZ9876', macAddresses: [macB]}),
  ],
  'a',
);
test(
  'a tie',
  cases,
  {macAddresses: [macA, macB]},
  [candidate('a', {macAddresses: [macA]}), candidate('b', {macAddresses: [macB]})],
  'conflict',
);
test(
  'a tie seen before stays one doubtful machine',
  cases,
  {macAddresses: [macA, macB]},
  [
    candidate('a', {macAddresses: [macA]}),
    candidate('b', {macAddresses: [macB]}),
    candidate('c', {macAddresses: [macA, macB]}, true),
  ],
  'c',
);
test(
  'junk counts nothing',
  cases,
  {uuid: '03000200-0400-0500-0006-000700080009', systemSerial: 'Default string'},
  [candidate('a', {uuid: '03000200-0400-0500-0006-000700080009', systemSerial: 'Default string'})],
  'none',
);
test(
  'disks alone are not enough',
  cases,
  {diskSerials: ['S1X2', 'S1X3', 'S1X4'], dimmSerials: ['D1X2']},
  [candidate('a', {diskSerials: ['S1X2', 'S1X3', 'S1X4'], dimmSerials: ['D1X2']})],
  'none',
);
test(
  'a dock is nobody',
  cases,
  {macAddresses: ['00:e0:4c:68:00:01']},
  [candidate('a', {macAddresses: ['00:e0:4c:68:00:01']})],
  'none',
);

test('says why', t => {
  const match = identify(evidenceItems(evidence({...full, macAddresses: [macB]})), [
    candidate('a', full),
  ]);
  t.deepEqual(match.scores, [
    {
      machineId: 'a',
      score: 90,
      reasons: [
        'same uuid (+40)',
        'same system serial (+40)',
        'same board serial (+25)',
        'other mac (-15)',
      ],
    },
  ]);
});

const anyEvidence = fc.record({
  uuid: fc.constantFrom('', uuid, otherUuid),
  systemSerial: fc.constantFrom('', 'ABC1234', 'XYZ9876', 'None'),
  boardSerial: fc.constantFrom('', 'CN7016', 'CN9999'),
  macAddresses: fc.subarray([macA, macB, '52:54:00:aa:00:01', 'be:3a:f2:b6:05:9f']),
});

test('the order of candidates and values changes nothing', t => {
  fc.assert(
    fc.property(anyEvidence, fc.array(anyEvidence, {maxLength: 5}), (seen, known) => {
      const candidates = known.map((part, index) => candidate(`m${index}`, part));
      const reversed = {...seen, macAddresses: [...seen.macAddresses].reverse()};
      t.deepEqual(
        identify(evidenceItems(evidence(seen)), candidates),
        identify(evidenceItems(evidence(reversed)), [...candidates].reverse()),
      );
    }),
  );
});

test('a machine that could not be told apart is recognised when it comes again', t => {
  fc.assert(
    fc.property(anyEvidence, fc.array(anyEvidence, {maxLength: 5}), (seen, known) => {
      const candidates = known.map((part, index) => candidate(`m${index}`, part));
      const items = evidenceItems(evidence(seen));
      if (identify(items, candidates).kind !== 'conflict') return;
      const again = identify(items, [...candidates, candidate('new', seen, true)]);
      t.is(again.kind === 'match' && again.machineId, 'new');
    }),
  );
});
