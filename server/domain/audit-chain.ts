import {createHash} from 'node:crypto';
import {
  type AuditEntry,
  type AuditHead,
  findAuditHead,
  listAudit,
  listUnplacedAudit,
  type NewAuditEntry,
} from '../store/audit.ts';
import type {Sql} from '../store/db.ts';
import {placeInChain} from '../store/hash-chain.ts';
import {readCheckpoints} from './audit-checkpoints.ts';
import {chain} from './hash-chain.ts';

const placedPerTransactionMax = 500;
const readMax = 1000;

/** SHA-256 over the previous hash and the entry as a JSON array whose objects have their keys in order (docs/audit.md). */
export function hashAuditEntry(previous: Buffer, entry: Omit<AuditEntry, 'hash'>): Buffer {
  const {position, id, time, callId, actor, address, method, resource, action} = entry;
  const {request, before, after, outcome, code, error, count, durationMs} = entry;
  const row = [
    ...[position, id, time.toISOString(), callId ?? '', actor, address, method, resource, action],
    ...[request, before, after].map(text => (text === undefined ? null : JSON.parse(text))),
    ...[outcome, code, error, count, durationMs],
  ];
  return createHash('sha256').update(previous).update(inOrder(row)).digest();
}

/** JSON text whose objects have their keys in order, whatever order PostgreSQL gives them in. */
function inOrder(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOrder).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, item]) => `${JSON.stringify(name)}:${inOrder(item)}`);
  return `{${members.join(',')}}`;
}

export const chainAudit = (head: AuditHead, entries: readonly NewAuditEntry[]) =>
  chain(head, entries, hashAuditEntry);

/** In one transaction of the relay. Gives the number of entries placed; less than all when there are many. */
export async function placeWaitingAudit(tx: Sql): Promise<number> {
  const waiting = await listUnplacedAudit(tx, placedPerTransactionMax);
  if (waiting.length === 0) return 0;
  const head = (await findAuditHead(tx)) ?? (await readCheckpoints(tx)).base;
  await placeInChain(tx, 'audit_entries', chainAudit(head, waiting));
  return waiting.length;
}

export type AuditBreak = {readonly position: number; readonly reason: string};

export type AuditStep = {readonly head: AuditHead; readonly broken?: AuditBreak};

/** Step by step from `base` (whose hash is known to be right) to `upTo`; ends at the first entry that is not as it was written. */
export async function* walkAudit(
  sql: Sql,
  base: AuditHead,
  upTo: number,
): AsyncGenerator<AuditStep> {
  let head = base;
  let broken: AuditBreak | undefined;
  while (!broken && head.position < upTo) {
    const entries = await listAudit(sql, {after: head.position, upTo, limit: readMax});
    if (entries.length === 0) broken = missing(head.position + 1);
    for (const entry of entries) {
      const next = follow(head, entry);
      if ('reason' in next) {
        broken = next;
        break;
      }
      head = next;
    }
    yield broken ? {head, broken} : {head};
  }
}

function follow(head: AuditHead, entry: AuditEntry): AuditHead | AuditBreak {
  const position = head.position + 1;
  if (entry.position !== position) return missing(position);
  const hash = hashAuditEntry(head.hash, entry);
  if (entry.hash.equals(hash)) return {position, hash};
  return {
    position,
    reason: `Entry ${position} is not as it was written, or not in its place: its hash does not fit`,
  };
}

const missing = (position: number): AuditBreak => ({
  position,
  reason: `Entry ${position} is missing`,
});
