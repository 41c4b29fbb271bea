import {createHmac, timingSafeEqual} from 'node:crypto';
import type {MasterKey} from '../secrets.ts';
import type {AuditHead} from '../store/audit.ts';
import {type AuditCheckpoint, listCheckpoints} from '../store/audit-checkpoints.ts';
import type {Sql} from '../store/db.ts';

/** Before the first entry. */
const genesis: AuditHead = {position: 0, hash: Buffer.alloc(32)};

export const checkpointsKept = 100;

/** Signs what the chain was at a position. Who can write to PostgreSQL can compute a whole new chain, but none that fits a signature. */
export function createCheckpointSigner(key: Pick<MasterKey, 'derive'>) {
  const secret = key.derive('audit checkpoint');
  const sign = ({position, hash, time, truncated}: Omit<AuditCheckpoint, 'signature'>): Buffer =>
    createHmac('sha256', secret)
      .update(JSON.stringify([position, hash.toString('hex'), time.toISOString(), truncated]))
      .digest();

  return {
    sign: (head: AuditHead, time: Date, truncated: boolean): AuditCheckpoint => {
      const checkpoint = {...head, time, truncated};
      return {...checkpoint, signature: sign(checkpoint)};
    },
    isGenuine: (checkpoint: AuditCheckpoint): boolean => {
      const expected = sign(checkpoint);
      const {signature} = checkpoint;
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    },
  };
}

export type CheckpointSigner = ReturnType<typeof createCheckpointSigner>;

/** Oldest first, with the one that the chain begins after. */
export async function readCheckpoints(sql: Sql) {
  const checkpoints = await listCheckpoints(sql, checkpointsKept + 10);
  const truncation = checkpoints.findLast(({truncated}) => truncated);
  return {checkpoints, truncation, base: truncation ?? genesis};
}
