import {randomUUID} from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {
  findLookAlikes,
  findMachinesByEvidence,
  findMachinesByEvidenceLists,
  insertEvidence,
} from '../store/evidence.ts';
import {insertMachines} from '../store/machine-batches.ts';
import {createCandidates} from './candidates.ts';
import type {Candidate, EvidenceItem} from './identity.ts';

const candidatesMax = 3;
const time = new Date('2026-05-06T07:08:09.123Z');

/** Few values, so that machines share them. */
const item = fc.record({
  kind: fc.constantFrom('mac' as const, 'disk_serial' as const, 'uuid' as const),
  value: fc.constantFrom('A', 'B', 'C'),
});
const items = fc.uniqueArray(item, {
  maxLength: 6,
  selector: ({kind, value}) => `${kind} ${value}`,
});

const ids = (candidates: readonly {readonly machineId: string}[]) =>
  candidates.map(({machineId}) => machineId).toSorted();

test('the same machines are named as by PostgreSQL, however many share a value', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  const times = {stateTime: time, createTime: time, updateTime: time};
  await fc.assert(
    fc.asyncProperty(
      fc.array(items, {maxLength: 8}),
      items.filter(list => list.length > 0),
      async (machines: EvidenceItem[][], asked: EvidenceItem[]) => {
        await sql`delete from machines`;
        const known = machines.map((evidence): Candidate => {
          return {machineId: randomUUID(), quarantined: false, evidence};
        });
        await insertMachines(
          sql,
          known.map(({machineId: id}) => ({id, state: 'ready', ...times})),
        );
        await insertEvidence(
          sql,
          known.flatMap(({machineId, evidence}) => evidence.map(one => ({...one, machineId}))),
        );
        const found = await findMachinesByEvidence(sql, asked, candidatesMax);
        // Some were known before, the others come one by one.
        const candidates = createCandidates(known.slice(0, 3), candidatesMax);
        for (const one of known.slice(3)) candidates.add(one);
        t.deepEqual(ids(candidates.of(asked)), ids(found));

        const lists = [asked, ...machines.filter(list => list.length > 0)];
        const each = await Promise.all(
          lists.map(list => findMachinesByEvidence(sql, list, candidatesMax)),
        );
        const together = await findMachinesByEvidenceLists(sql, lists, candidatesMax);
        t.deepEqual(ids(together), [...new Set(ids(each.flat()))]);
        const pairs = await findLookAlikes(sql, ids(known), candidatesMax);
        for (const {machineId, evidence} of known) {
          const own = await findMachinesByEvidence(sql, evidence, candidatesMax);
          const alike = pairs.filter(pair => pair.machineId === machineId);
          t.deepEqual(alike.map(({alikeId}) => alikeId).toSorted(), ids(own));
        }
      },
    ),
    {numRuns: 100},
  );
});
