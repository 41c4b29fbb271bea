import type {Sql} from '../store/db.ts';
import {lockSessions, type Sample, type SessionKey, updateSessions} from '../store/metrics.ts';
import {copySamples} from '../store/metrics-copy.ts';
import {hourOf} from '../store/metrics-history.ts';
import {withHours} from './metrics-intake.ts';
import {rowsKeptMs} from './metrics-rollups.ts';
import {addSequences, type SequenceRanges} from './sequence-ranges.ts';

/** Samples of one agent's session; their times are those of the server's clock. */
type TimedReport = SessionKey & {
  readonly firstSequence: number;
  readonly samples: readonly Sample[];
};

/** Those of the samples that did not come before: each session keeps which of its numbers have. */
export async function storeNumbered(
  tx: Sql,
  reports: readonly TimedReport[],
  now: Date,
): Promise<readonly Sample[]> {
  const keyOf = ({machineId, session}: SessionKey) => `${machineId} ${session}`;
  const keys = new Map(
    reports.map(({machineId, session}) => [keyOf({machineId, session}), {machineId, session}]),
  );
  const locked = await lockSessions(tx, [...keys.values()], now);
  const received = new Map(locked.map(state => [keyOf(state), state.received]));

  const hours = new Map<string, readonly number[]>();
  const fresh: Sample[] = [];
  for (const report of reports) {
    const key = keyOf(report);
    const {ranges, added} = pickNew(report, received.get(key) ?? [], now);
    received.set(key, ranges);
    for (const sample of added) fresh.push(sample);
    const addedHours = added.map(({time}) => hourOf(time));
    hours.set(key, withHours(hours.get(key) ?? [], addedHours));
  }
  const moved = locked.flatMap(state => {
    const after = received.get(keyOf(state)) ?? state.received;
    const openHours = withHours(state.openHours, hours.get(keyOf(state)) ?? []);
    return after === state.received ? [] : [{...state, received: after, openHours}];
  });
  await copySamples(tx, fresh);
  await updateSessions(tx, moved, now);
  return fresh;
}

/** What of a report has not come before. */
function pickNew(
  {firstSequence, samples}: TimedReport,
  before: SequenceRanges,
  now: Date,
): {readonly ranges: SequenceRanges; readonly added: readonly Sample[]} {
  // Its rows may be packed and gone: nothing that an agent and a stream keep is so old.
  const since = now.getTime() - rowsKeptMs;
  const isKept = ({time}: Sample) => time.getTime() >= since;
  const all = addSequences(before, firstSequence, firstSequence + samples.length - 1);
  if (all && samples.length > 0) return {ranges: all, added: samples.filter(isKept)};
  let ranges = before;
  const added: Sample[] = [];
  for (const [index, sample] of samples.entries()) {
    const after = addSequences(ranges, firstSequence + index);
    if (!after) continue;
    ranges = after;
    if (isKept(sample)) added.push(sample);
  }
  return {ranges, added};
}
