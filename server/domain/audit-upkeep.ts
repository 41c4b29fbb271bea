import {DomainError} from '../errors.ts';
import {deleteAuditUpTo, findAuditHead, findPositionBefore, listAudit} from '../store/audit.ts';
import {pruneCheckpoints, putCheckpoint, takeAuditUpkeepLock} from '../store/audit-checkpoints.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {walkAudit} from './audit-chain.ts';
import {checkpointsKept, type CheckpointSigner, readCheckpoints} from './audit-checkpoints.ts';
import type {Deps} from './deps.ts';

const dayMs = 24 * 3_600_000;
const truncatedPerStepMax = 10_000;

export type AuditUpkeep = ReturnType<typeof createAuditUpkeep>;

/** Signs the end of the chain every few seconds, and lets old entries go. On one server at a time. */
export function createAuditUpkeep({
  sql,
  now,
  newId,
  signer,
  retentionDays,
}: Deps & {
  readonly signer: CheckpointSigner;
  /** 0 keeps everything. */
  readonly retentionDays: number;
}) {
  /** Signs nothing that does not follow from what was signed before. Throws failed_precondition then. */
  async function signHead(tx: Sql): Promise<void> {
    const {checkpoints, base} = await readCheckpoints(tx);
    const last = checkpoints.at(-1) ?? base;
    const head = await findAuditHead(tx);
    const position = head?.position ?? base.position;
    if (position < last.position) throw broken('entries are missing at its end');
    if (position === last.position) return;
    if (checkpoints.some(checkpoint => !signer.isGenuine(checkpoint)))
      throw broken('a checkpoint has a wrong signature');
    let reached = {position: last.position, hash: last.hash};
    for await (const step of walkAudit(tx, reached, position)) {
      if (step.broken) throw broken(step.broken.reason);
      reached = step.head;
    }
    await putCheckpoint(tx, signer.sign(reached, now(), false));
    await pruneCheckpoints(tx, checkpointsKept);
  }

  /** Gives the number of entries that went. A signed checkpoint stands for them, and an entry of the journal tells. */
  async function truncate(tx: Sql): Promise<number> {
    const {base, checkpoints} = await readCheckpoints(tx);
    const cutoff = await findPositionBefore(tx, new Date(now().getTime() - retentionDays * dayMs));
    // Only what was found whole and signed.
    const signed = checkpoints.at(-1)?.position ?? 0;
    const position = Math.min(cutoff, signed, base.position + truncatedPerStepMax);
    if (position <= base.position) return 0;
    const [last] = await listAudit(tx, {after: position - 1, upTo: position, limit: 1});
    if (!last) throw broken(`entry ${position} is missing`);
    await putCheckpoint(tx, signer.sign({position, hash: last.hash}, now(), true));
    const count = await deleteAuditUpTo(tx, position);
    await pruneCheckpoints(tx, checkpointsKept);
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'audit.truncated',
      actor: 'system',
      subject: 'audit/entries',
      data: {position, count, hash: last.hash.toString('hex'), retentionDays},
      change: {after: {position, count, hash: last.hash.toString('hex'), retentionDays}},
    });
    return count;
  }

  return {
    signHead: (): Promise<void> =>
      sql.begin(async tx => {
        if (await takeAuditUpkeepLock(tx)) await signHead(tx);
      }),

    async truncateOld(): Promise<void> {
      if (retentionDays === 0) return;
      let count: number;
      do count = await sql.begin(async tx => ((await takeAuditUpkeepLock(tx)) ? truncate(tx) : 0));
      while (count > 0);
    },
  };
}

function broken(why: string): DomainError {
  return new DomainError(
    'failed_precondition',
    `Cannot sign the audit: ${why}; run "muster audit verify"`,
  );
}
