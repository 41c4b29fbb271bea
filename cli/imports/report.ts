import {closeSync, openSync, writeSync} from 'node:fs';
import {type ImportOutcome, ImportOutcome_Result} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import type {Output} from '../output.ts';

export type Result = 'created' | 'updated' | 'unchanged' | 'skipped';

export type ReportLine = {
  /** "machine", "group", "user", "build", … */
  readonly kind: string;
  /** Its key in the other system. */
  readonly originId: string;
  /** As people there call it. */
  readonly name: string;
  readonly result: Result;
  /** Here; empty when skipped. */
  readonly id: string;
  readonly reason: string;
  readonly losses: readonly string[];
};

type Totals = Record<Result, number> & {losses: number};

export type Report = Disposable & {
  /** One record. */
  add(line: ReportLine): void;
  /** Many of a kind of which nothing is to be said. */
  count(kind: string, result: Result, count: number): void;
  /** What has no place in Muster, and what to do about it. */
  leave(what: string, count: number, advice: string): void;
  /** Prints the totals; gives how many records did not come over, or not whole. */
  end(): number;
};

const resultNames: Readonly<Record<number, Result>> = {
  [ImportOutcome_Result.CREATED]: 'created',
  [ImportOutcome_Result.UPDATED]: 'updated',
  [ImportOutcome_Result.UNCHANGED]: 'unchanged',
  [ImportOutcome_Result.SKIPPED]: 'skipped',
};

export const resultOf = ({result}: ImportOutcome): Result => resultNames[result] ?? 'skipped';

/** Every record goes to the file; the terminal is told what did not come over whole, and the sums. With --json everything, as JSON lines. */
export function createReport(out: Output, path: string | undefined): Report {
  const file = path === undefined ? undefined : open(path);
  const totals = new Map<string, Totals>();
  const left: {readonly what: string; readonly count: number; readonly advice: string}[] = [];
  const totalsOf = (kind: string): Totals => {
    const known = totals.get(kind) ?? {created: 0, updated: 0, unchanged: 0, skipped: 0, losses: 0};
    totals.set(kind, known);
    return known;
  };
  const write = (value: object): void => {
    if (file !== undefined) writeSync(file, `${JSON.stringify(value)}\n`);
    if (out.json) out.line(JSON.stringify(value));
  };

  return {
    add(line) {
      const sum = totalsOf(line.kind);
      sum[line.result] += 1;
      if (line.losses.length > 0) sum.losses += 1;
      write(line);
      if (!out.json && (line.result === 'skipped' || line.reason || line.losses.length > 0))
        out.line(sentenceOf(line));
    },
    count(kind, result, count) {
      totalsOf(kind)[result] += count;
    },
    leave(what, count, advice) {
      if (count > 0) left.push({what, count, advice});
    },
    end() {
      write({totals: Object.fromEntries(totals), left});
      if (!out.json) print(out, totals, left);
      return [...totals.values()].reduce((sum, {skipped, losses}) => sum + skipped + losses, 0);
    },
    [Symbol.dispose]() {
      if (file !== undefined) closeSync(file);
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, 'w', 0o600);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new CommandError(`Cannot write the report: ${problem}`, exitStatus.usage);
  }
}

function sentenceOf({kind, name, originId, result, reason, losses}: ReportLine): string {
  const what = name === '' || name === originId ? originId : `${name} (${originId})`;
  const told = [reason, ...(losses.length > 0 ? [`without: ${losses.join('; ')}`] : [])];
  return `${kind} ${printable(what)}: ${result}${told
    .filter(Boolean)
    .map(text => `. ${printable(text)}`)
    .join('')}`;
}

/** Names of another system may hold what moves a terminal. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ');

function print(
  out: Output,
  totals: ReadonlyMap<string, Totals>,
  left: readonly {readonly what: string; readonly count: number; readonly advice: string}[],
): void {
  const column = (title: string, value: (sum: Totals) => number) => ({
    title,
    value: ([, sum]: readonly [string, Totals]) => String(value(sum)),
  });
  out.line('');
  out.table(
    [
      {title: 'KIND', value: ([kind]: readonly [string, Totals]) => kind},
      column('CREATED', sum => sum.created),
      column('UPDATED', sum => sum.updated),
      column('UNCHANGED', sum => sum.unchanged),
      column('SKIPPED', sum => sum.skipped),
      column('NOT WHOLE', sum => sum.losses),
    ],
    [...totals],
  );
  for (const {what, count, advice} of left) out.line(`Left behind: ${count} ${what}. ${advice}`);
}
