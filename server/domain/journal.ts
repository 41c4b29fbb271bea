import {createHash} from 'node:crypto';
import type {Sql} from '../store/db.ts';
import {
  findJournalHead,
  type JournalEntry,
  type JournalHead,
  listEntries,
  listHashes,
  listUnplaced,
  placeEntries,
} from '../store/journal.ts';
import {chain} from './hash-chain.ts';

const placedPerTransactionMax = 500;
const verifiedPerReadMax = 1000;

/** Before the first entry. */
export const genesis: JournalHead = {position: 0, hash: Buffer.alloc(32)};

/** SHA-256 over the previous hash and the entry as a JSON array (docs/decisions/0002-journal.md). */
export function hashEntry(previous: Buffer, entry: JournalEntry): Buffer {
  const {id, position, time, type, actor, machineId, subject, data} = entry;
  const row = [position, id, time.toISOString(), type, actor, machineId ?? null, subject, data];
  return createHash('sha256').update(previous).update(JSON.stringify(row)).digest();
}

/** In one transaction of the relay. Gives the number of entries placed; less than all when there are many. */
export async function placeWaitingEntries(tx: Sql): Promise<number> {
  const waiting = await listUnplaced(tx, placedPerTransactionMax);
  if (waiting.length === 0) return 0;
  const head = (await findJournalHead(tx)) ?? genesis;
  await placeEntries(tx, chain(head, waiting, hashEntry));
  return waiting.length;
}

/** The first position whose entry was changed, removed or put in between; undefined when the whole journal is as it was written. */
export async function findBrokenLink(sql: Sql): Promise<number | undefined> {
  let head = genesis;
  for (;;) {
    const range = {after: head.position, limit: verifiedPerReadMax};
    const [entries, hashes] = await Promise.all([
      listEntries(sql, range),
      listHashes(sql, range.after, range.limit),
    ]);
    if (entries.length === 0) return undefined;
    for (const [index, entry] of entries.entries()) {
      const expected = head.position + 1;
      const hash = hashEntry(head.hash, entry);
      if (entry.position !== expected || !hashes[index]?.hash.equals(hash)) return expected;
      head = {position: entry.position, hash};
    }
  }
}
