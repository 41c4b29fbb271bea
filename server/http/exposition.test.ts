import test from 'ava';
import * as fc from 'fast-check';
import type {FleetSnapshot, MeasuredMachine} from '../domain/fleet-metrics.ts';
import {createExposition} from './exposition.ts';

const nothing = {states: [], presences: [], builds: [], operations: [], issues: [], services: []};
const time = new Date('2026-03-01T00:00:00Z');

/** Few values each, so that much is the same from page to page. */
const few = <T>(...values: T[]) => fc.constantFrom(...values);
const devices = [{'fan/rpm/a': 5}, {'fan/rpm/a': 6, 'interface/rxBytes/eth0': 7}, undefined];
const machine = (id: string) =>
  fc
    .record({
      hostname: few('', 'web', 'we"b'),
      serviceTag: few('A', 'B'),
      manufacturer: few('Dell', 'HP'),
      agentVersion: few('1', '2'),
      state: few<MeasuredMachine['state']>('active', 'ready'),
      presence: few<MeasuredMachine['presence']>('online', 'offline', 'unknown'),
      groups: few<readonly string[]>([], ['a'], ['a', 'b'], ['b', 'a']),
      issues: few<MeasuredMachine['issues']>([], [{kind: 'hot', severity: 'info', count: 1}]),
      load1: few(undefined, 0, 0.25, 1e21),
      uptime: few(undefined, 5, 1234.567),
      devices: few(...devices),
      isMeasured: fc.boolean(),
    })
    .map(({load1, uptime, devices: own, isMeasured, ...about}): MeasuredMachine => ({
      ...about,
      id,
      product: 'R640',
      stateTime: time,
      lastSeenTime: time,
      bootTime: undefined,
      clockSkewMs: undefined,
      sample: isMeasured ? {machineId: id, time, load1, uptime, devices: own} : undefined,
    }));

const ids = Array.from({length: 5}, (_, index) => `machine-${index}`);
const fleet = fc
  .subarray(ids)
  .chain(some => fc.tuple(...some.map(machine)))
  .map((machines): FleetSnapshot => ({time, machines, machinesLeftOut: 0, ...nothing}));

const readAll = async (exposition: ReturnType<typeof createExposition>) => {
  const {pieces, length} = await exposition.read('openMetrics', false);
  const page = Buffer.concat(pieces);
  return {page: page.toString(), isWhole: page.length === length};
};

test('what is kept of a page for the next one is what has not changed', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(fleet, {minLength: 2, maxLength: 6}), async snapshots => {
      let at = 0;
      const current = async () => snapshots[at] ?? Promise.reject(new Error('no more'));
      const kept = createExposition({snapshot: current, ageMsMax: 0});
      for (at = 0; at < snapshots.length; at++) {
        const fresh = createExposition({snapshot: current});
        const page = await readAll(kept);
        t.true(page.isWhole);
        t.deepEqual(page, await readAll(fresh));
      }
    }),
    {numRuns: 300},
  );
});

test('a family that is as it was is the same bytes, not another copy', async t => {
  const machines = fc.sample(fc.tuple(...ids.map(machine)), {numRuns: 1, seed: 3})[0] ?? [];
  let load = 0;
  const exposition = createExposition({
    ageMsMax: 0,
    snapshot: async () => {
      load += 1;
      const measured = machines.map(own => ({
        ...own,
        sample: {machineId: own.id, time, load1: load, uptime: 5},
      }));
      return {time, machines: measured, machinesLeftOut: 0, ...nothing};
    },
  });
  const pieceOf = async (family: string) => {
    const {pieces} = await exposition.read('text', false);
    return pieces.find(piece => piece.toString().startsWith(`${family}{`));
  };
  for (const name of ['uptime_seconds', 'info', 'state'])
    t.is(await pieceOf(`muster_machine_${name}`), await pieceOf(`muster_machine_${name}`), name);
  t.not(await pieceOf('muster_machine_load1'), await pieceOf('muster_machine_load1'));
});
