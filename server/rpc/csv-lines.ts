import {CsvError, parse} from 'csv-parse/sync';
import {printable} from '../domain/identifiers.ts';
import type {ImportProblem} from '../domain/machine-imports.ts';

const recordCharactersMax = 100_000;
/** Behind so many the rest of a file is not read: each is read on from anew. */
const quoteProblemsMax = 100;

export type CsvLine = {readonly line: number; readonly cells: readonly string[]};

/** What has a quote in the wrong place is a problem, and is read on from the line behind the one where it began. */
export function readCsvLines(text: string): {
  lines: readonly CsvLine[];
  problems: ImportProblem[];
} {
  const physical = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const lines: CsvLine[] = [];
  const problems: ImportProblem[] = [];
  /** The first line that is not empty, from this one on, counted from 0. */
  const filled = (from: number) => {
    const next = physical.findIndex((line, index) => index >= from && line.trim() !== '');
    return next === -1 ? physical.length : next;
  };
  for (let start = filled(0); start < physical.length;) {
    let next = start;
    const keep = (record: string[], context: {readonly lines: number}) => {
      lines.push({line: next + 1, cells: record});
      next = filled(start + context.lines);
      return null;
    };
    try {
      parse(physical.slice(start).join('\n'), {...csvOptions, on_record: keep});
      break;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      problems.push({line: next + 1, column: '', ...quoteProblem(error.message)});
      if (problems.length >= quoteProblemsMax) break;
      start = filled(next + 1);
    }
  }
  return {lines, problems};
}

const csvOptions = {
  record_delimiter: '\n',
  trim: true,
  relax_column_count: true,
  skip_empty_lines: true,
  max_record_size: recordCharactersMax,
} as const;

const quoteProblem = (message: string) => ({
  problem: printable(message.replace(/ at line \d+/g, ''), 256),
  remedy: 'Put cells with commas or quotes into quotes, and write a quote inside as two',
});
