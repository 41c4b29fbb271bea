import type {ImportedRecord, ImportedSample} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {inBatches, type Move, rowsOf} from './move.ts';
import {
  type HistoryTable,
  historyTables,
  metricsColumns,
  readRecord,
  readSample,
} from './metal-enrollment-history.ts';
import type {Row} from './source.ts';

const recordsAtOnce = 500;
const samplesAtOnce = 1000;

/** Builds, events, power operations and image tests as records of their machines; metrics as metrics. */
export async function moveHistory(move: Move, machines: ReadonlySet<string>): Promise<void> {
  for (const table of historyTables) await moveTable(move, table, machines);
  await moveMetrics(move, machines);
}

async function moveTable(
  move: Move,
  table: HistoryTable,
  machines: ReadonlySet<string>,
): Promise<void> {
  const {clients, report, call, progress} = move;
  const {kind, noun} = table;
  let homeless = 0;
  let done = 0;
  async function* records(): AsyncIterable<ImportedRecord> {
    const columns = ['id', 'machine_id', 'created_at', ...table.columns];
    for await (const row of rowsOf(move, table.table, {columns, orderBy: ['created_at', 'id']})) {
      const machine = row.machine_id ?? '';
      if (machine === '') {
        homeless += 1;
        continue;
      }
      const record = machines.has(machine)
        ? readRecord(table, row)
        : `Its machine "${machine.slice(0, 64)}" did not come over`;
      if (typeof record === 'string') report.add(skipped(kind, row, record));
      else yield record;
    }
  }

  const weigh = ({details}: ImportedRecord) => details.length;
  for await (const batch of inBatches(records(), {countMax: recordsAtOnce, weigh})) {
    const answer = await clients.imports.importRecords({...call, records: [...batch]});
    report.count(kind, 'created', answer.created);
    report.count(kind, 'unchanged', answer.unchanged);
    for (const {originId, reason} of answer.skipped)
      report.add(skipped(kind, {id: originId}, reason));
    done += batch.length;
    progress(`${done} ${noun}`);
  }
  report.leave(`${noun} without a machine`, homeless, 'They belong to no machine.');
}

async function moveMetrics(move: Move, machines: ReadonlySet<string>): Promise<void> {
  const {clients, report, call, progress} = move;
  const kind = 'metrics';
  let old = 0;
  let done = 0;
  async function* samples(): AsyncIterable<ImportedSample> {
    const columns = ['id', 'machine_id', 'timestamp', ...metricsColumns];
    for await (const row of rowsOf(move, 'machine_metrics', {
      columns,
      orderBy: ['timestamp', 'id'],
    })) {
      const machine = row.machine_id ?? '';
      const sample = machines.has(machine)
        ? readSample(row)
        : `Its machine "${machine.slice(0, 64)}" did not come over`;
      if (typeof sample === 'string') report.add(skipped(kind, row, sample));
      else yield sample;
    }
  }

  for await (const batch of inBatches(samples(), {countMax: samplesAtOnce})) {
    const answer = await clients.imports.importMetrics({...call, samples: [...batch]});
    report.count(kind, 'created', answer.created);
    report.count(kind, 'unchanged', answer.unchanged);
    report.count(kind, 'skipped', answer.withoutMachine);
    old += answer.outOfRange;
    done += batch.length;
    progress(`${done} samples of metrics`);
  }
  report.leave(
    'samples of metrics',
    old,
    'They are older than METRICS_RETENTION_DAYS of the server, or in the future.',
  );
}

const skipped = (kind: string, {id = ''}: Row, reason: string) => ({
  kind,
  originId: id.slice(0, 64),
  name: '',
  result: 'skipped' as const,
  id: '',
  reason,
  losses: [],
});
