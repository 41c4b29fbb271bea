import {DomainError} from '../errors.ts';
import {appendEvent} from '../store/events.ts';
import {
  findMachinesOfOrigins,
  type ImportedRecord,
  insertRecords,
  listRecords,
} from '../store/imports.ts';
import {findMachine} from '../store/machines.ts';
import type {Deps} from './deps.ts';
import {type Batch, type ImportCall, inBatch, skipped} from './import-batch.ts';
import {type ForeignGroup, importGroups} from './import-groups.ts';
import {importMachines} from './import-machines.ts';
import type {ForeignMachine} from './import-rules.ts';
import {type ForeignUser, importUsers} from './import-users.ts';
import type {Measurements, MetricsStore} from './metrics.ts';
import {decodeCursor, encodeCursor} from './page-tokens.ts';
import type {Recognition} from './recognition.ts';

const pageSizeDefault = 50;
const clockDifferenceMsMax = 5 * 60_000;
const dayMs = 86_400_000;

export type Imports = ReturnType<typeof createImports>;

export type ForeignRecord = Omit<ImportedRecord, 'machineId' | 'source'> & {
  readonly machineOriginId: string;
};

export type ForeignSample = Measurements & {
  readonly machineOriginId: string;
  readonly time: Date | undefined;
};

/** Moving in from another system (docs/moving.md). */
export function createImports({
  recognition,
  metrics,
  retentionDays,
  ...deps
}: Deps & {
  readonly recognition: Recognition;
  readonly metrics: Pick<MetricsStore, 'takeIn'>;
  readonly retentionDays: number;
}) {
  const {sql, now} = deps;
  return {
    machines: (call: ImportCall, machines: readonly ForeignMachine[]) =>
      inBatch(deps, call, batch => importMachines(batch, recognition, machines)),

    groups: (call: ImportCall, groups: readonly ForeignGroup[]) =>
      inBatch(deps, call, batch => importGroups(batch, groups)),

    users: (call: ImportCall, users: readonly ForeignUser[]) =>
      inBatch(deps, call, batch => importUsers(batch, users)),

    records: (call: ImportCall, records: readonly ForeignRecord[]) =>
      inBatch(deps, call, batch => importRecords(batch, records)),

    /** Each sample of a machine and a time once. */
    async samples(call: ImportCall, samples: readonly ForeignSample[]) {
      const {source, dryRun} = call;
      const received = now().getTime();
      const usable = samples.filter(({time}) => {
        const ageMs = received - (time?.getTime() ?? Number.NaN);
        return ageMs <= retentionDays * dayMs && ageMs >= -clockDifferenceMsMax;
      });
      const ids = usable.map(({machineOriginId}) => machineOriginId);
      const machines = await findMachinesOfOrigins(sql, source, ids);
      const known = usable.flatMap(({machineOriginId, time, ...measurements}) => {
        const machineId = machines.get(machineOriginId);
        return machineId && time ? [{...measurements, machineId, time}] : [];
      });
      const strangers = usable.length - known.length;
      const created = await metrics.takeIn(known, {
        dryRun,
        inTransaction: work => inBatch(deps, call, batch => told(batch, 'metrics', work)),
      });
      return {
        // A dry run takes for granted that their machines come first.
        created: created + (dryRun ? strangers : 0),
        unchanged: known.length - created,
        outOfRange: samples.length - usable.length,
        withoutMachine: dryRun ? 0 : strangers,
      };
    },

    /** Newest first. Throws not_found. */
    async list(machineId: string, page: {readonly pageSize: number; readonly pageToken: string}) {
      const after = decodeCursor(page.pageToken);
      if (!(await findMachine(sql, machineId)))
        throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
      const limit = page.pageSize || pageSizeDefault;
      const rows = await listRecords(sql, {machineId, after, limit: limit + 1});
      const records = rows.slice(0, limit);
      const last = records.at(-1);
      const more = rows.length > limit && last;
      return {records, nextPageToken: more ? encodeCursor({time: last.timeText, id: last.id}) : ''};
    },
  };
}

async function importRecords(batch: Batch, records: readonly ForeignRecord[]) {
  const {tx, source, dryRun, newId} = batch;
  const ids = records.map(({machineOriginId}) => machineOriginId);
  const machines = await findMachinesOfOrigins(tx, source, ids);
  const rows = records.flatMap(({machineOriginId, ...record}) => {
    const machineId = machines.get(machineOriginId);
    return machineId ? [{...record, source, machineId, id: newId()}] : [];
  });
  const created = await told(batch, 'records', () => insertRecords(tx, rows));
  const strangers = records.filter(({machineOriginId}) => !machines.has(machineOriginId));
  const reason = (id: string) => `Its machine "${id}" was not brought over`;
  return {
    created: created + (dryRun ? strangers.length : 0),
    unchanged: rows.length - created,
    skipped: dryRun
      ? []
      : strangers.map(({originId, machineOriginId}) => skipped(originId, reason(machineOriginId))),
  };
}

/** One event for all of them, when there are any. */
async function told(
  batch: Batch,
  what: string,
  work: (tx: Batch['tx']) => Promise<number>,
): Promise<number> {
  const {tx, source, actor, now, newId} = batch;
  const count = await work(tx);
  if (count > 0)
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: `import.${what}_stored`,
      actor,
      subject: `imports/${source}`,
      data: {count},
    });
  return count;
}
