import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {lockImports} from '../store/imports.ts';
import type {Deps} from './deps.ts';

export type ImportResult = 'created' | 'updated' | 'unchanged' | 'skipped';

export type ImportOutcome = {
  readonly originId: string;
  readonly result: ImportResult;
  /** Of the row here; empty when skipped. */
  readonly id: string;
  readonly reason: string;
  readonly losses: readonly string[];
};

/** Who brings over from where. */
export type ImportCall = {
  readonly actor: string;
  readonly source: string;
  readonly dryRun: boolean;
};

/** What each record is brought over with. */
export type Batch = Pick<Deps, 'now' | 'newId'> & ImportCall & {readonly tx: Sql};

export const skipped = (originId: string, reason: string): ImportOutcome => ({
  originId,
  result: 'skipped',
  id: '',
  reason,
  losses: [],
});

class DryRun extends Error {}

/** One transaction, which a dry run takes back: what it says is what would have come. */
export async function inBatch<T>(
  {sql, now, newId}: Deps,
  call: ImportCall,
  work: (batch: Batch) => Promise<T>,
): Promise<T> {
  let done: {readonly value: T} | undefined;
  try {
    await sql.begin(async tx => {
      await lockImports(tx, call.source);
      done = {value: await work({...call, now, newId, tx})};
      if (call.dryRun) throw new DryRun();
    });
  } catch (error) {
    if (!(error instanceof DryRun)) throw error;
  }
  if (!done) throw new Error('An import ended without an outcome');
  return done.value;
}

/**
 * One after another, so that each finds what the one before left. A record that is refused is skipped with the reason: nothing of it was written
 * by then, because each use case decides first and writes after.
 */
export async function eachRecord<T extends {readonly originId: string}>(
  records: readonly T[],
  bring: (record: T) => Promise<ImportOutcome>,
): Promise<readonly ImportOutcome[]> {
  const outcomes: ImportOutcome[] = [];
  for (const record of records) {
    try {
      outcomes.push(await bring(record));
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      outcomes.push(skipped(record.originId, error.message));
    }
  }
  return outcomes;
}
