import type {Clients} from '../client.ts';
import {CommandError} from '../exit-status.ts';
import {originIdPattern} from './metal-enrollment-machines.ts';
import type {Report} from './report.ts';
import type {Row, Source} from './source.ts';

const charactersAtOnce = 2 * 1024 * 1024;

export type Move = {
  readonly source: Source;
  readonly clients: Pick<Clients, 'imports'>;
  readonly report: Report;
  /** Of every request. */
  readonly call: {readonly source: string; readonly dryRun: boolean};
  readonly withHistory: boolean;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
};

/** The columns that are there: older versions have fewer. */
export async function* rowsOf(
  {source, signal}: Move,
  table: string,
  wanted: {readonly columns: readonly string[]; readonly orderBy: readonly string[]},
): AsyncIterable<Row> {
  const there = await source.columns(table);
  const columns = wanted.columns.filter(name => there.has(name));
  const orderBy = wanted.orderBy.filter(name => there.has(name));
  if (columns.length === 0 || orderBy.length === 0) return;
  for await (const row of source.rows({table, columns, orderBy})) {
    if (signal.aborted)
      throw new CommandError('Interrupted: what was brought over stays, run it again to go on');
    yield row;
  }
}

export async function* inBatches<T>(
  items: AsyncIterable<T>,
  {countMax, weigh = () => 0}: {countMax: number; weigh?: (item: T) => number},
): AsyncIterable<readonly [T, ...T[]]> {
  let batch: T[] = [];
  let weight = 0;
  for await (const item of items) {
    const [first, ...rest] = batch;
    if (first && (batch.length >= countMax || weight + weigh(item) > charactersAtOnce)) {
      yield [first, ...rest];
      batch = [];
      weight = 0;
    }
    batch.push(item);
    weight += weigh(item);
  }
  const [first, ...rest] = batch;
  if (first) yield [first, ...rest];
}

/** A row whose key cannot be one is skipped here: the server would refuse all of its batch. */
export async function* withIds(
  {report}: Move,
  kind: string,
  rows: AsyncIterable<Row>,
  name: (row: Row) => string | undefined,
): AsyncIterable<Row> {
  for await (const row of rows) {
    const {id = ''} = row;
    if (originIdPattern.test(id)) yield row;
    else
      report.add({
        kind,
        originId: id.slice(0, 64),
        name: (name(row) ?? '').slice(0, 64),
        result: 'skipped',
        id: '',
        reason: 'Its id is none: 1 to 128 printable letters without spaces',
        losses: [],
      });
  }
}

/** What every line of the report has of an outcome. */
export const pick = ({originId, id, reason}: {originId: string; id: string; reason: string}) => ({
  originId,
  id,
  reason,
});
