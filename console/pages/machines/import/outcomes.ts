import type {
  ImportExpectedMachinesResponse as Report,
  ImportExpectedMachinesResponse_Problem as Problem,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {csvCell} from '../export-csv.ts';
import type {CsvFile, CsvRow} from './csv-file.ts';

/** Of problems of the file itself; the download has all. */
const shownMax = 5;

export type Outcome = {
  readonly row: CsvRow;
  /** `unread`: something is wrong with the file itself, so that its lines were not looked at. */
  readonly result: 'good' | 'bad' | 'unread';
  readonly problems: readonly Problem[];
  /** Of the machine that was registered. */
  readonly machineId: string | undefined;
};

/** What the server said, line by line, in the order of the file. */
export function outcomesOf({rows}: CsvFile, report: Report): readonly Outcome[] {
  const problems = Map.groupBy(report.problems, ({line}) => line);
  const known = new Set(rows.map(({line}) => line));
  const missing = [...problems.keys()]
    .filter(line => !known.has(line) && line > 1)
    .map((line): CsvRow => ({line, cells: undefined, text: ''}));
  const all = [...rows, ...missing].toSorted((a, b) => a.line - b.line);
  const clean = all.filter(({line}) => !problems.has(line));
  const wereRead = clean.length === report.goodCount;
  const ids = report.machineIds.length === clean.length ? report.machineIds : [];
  const idOf = new Map(clean.map(({line}, index) => [line, ids[index]]));
  return all.map(row => {
    const found = problems.get(row.line) ?? [];
    const clear = wereRead ? 'good' : 'unread';
    return {
      row,
      result: found.length > 0 ? 'bad' : clear,
      problems: found,
      machineId: idOf.get(row.line),
    };
  });
}

export type Counts = {
  /** Records below the headings, unreadable ones included. */
  readonly all: number;
  readonly good: number;
  readonly bad: number;
  /** Nothing was wrong with single lines: the file was put aside as it is. */
  readonly isUnread: boolean;
};

export function countsOf(outcomes: readonly Outcome[], {goodCount}: Report): Counts {
  const all = outcomes.length;
  const isUnread = goodCount === 0 && outcomes.some(({result}) => result === 'unread');
  return {all, good: goodCount, bad: all - goodCount, isUnread};
}

/** What is wrong with the file itself: its headings, its length. */
export const problemsOfFile = (
  {headings}: CsvFile,
  report: Report,
  {isUnread}: Counts,
): readonly Problem[] =>
  report.problems.filter(({line}) => isUnread || line <= (headings?.line ?? 1)).slice(0, shownMax);

/** Everything that is wrong, for whoever keeps the file. */
export const problemsCsv = ({problems}: Report): string =>
  [
    'line,column,problem,remedy',
    ...problems.map(({line, column, problem, remedy}) =>
      [String(line), column, problem, remedy].map(csvCell).join(','),
    ),
  ]
    .map(line => `${line}\r\n`)
    .join('');

/** The lines that have to be corrected, below the headings, as they stand in the file: to be imported by themselves. */
export const badLinesCsv = ({headings}: CsvFile, outcomes: readonly Outcome[]): string =>
  [headings?.text ?? '', ...outcomes.filter(({result}) => result === 'bad').map(o => o.row.text)]
    .map(text => `${text}\n`)
    .join('');
