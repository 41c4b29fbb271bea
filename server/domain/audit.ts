import {DomainError} from '../errors.ts';
import * as store from '../store/audit.ts';
import type {AuditEntry, AuditFilter, AuditHead} from '../store/audit.ts';
import {type AuditBreak, walkAudit} from './audit-chain.ts';
import {type CheckpointSigner, readCheckpoints} from './audit-checkpoints.ts';
import type {Deps} from './deps.ts';
import {badPageToken} from './ids.ts';

const pageSizeDefault = 50;
const readMax = 500;

export type AuditProgress = {
  readonly checked: number;
  readonly headPosition: number;
  readonly truncatedPosition: number;
};

export type AuditVerdict = AuditProgress & {
  readonly head: AuditHead;
  readonly broken: AuditBreak | undefined;
};

export type Audit = ReturnType<typeof createAudit>;

/** The audit as administrators read it. */
export function createAudit({
  sql,
  signer,
}: Pick<Deps, 'sql'> & {readonly signer: CheckpointSigner}) {
  return {
    /** Newest first; the page token is the last position of the page before. */
    async list(request: AuditFilter & {readonly pageSize: number; readonly pageToken: string}) {
      const {pageSize, pageToken, ...filter} = request;
      if (!/^\d{0,15}$/.test(pageToken)) throw badPageToken(pageToken);
      const before = pageToken === '' ? undefined : Number(pageToken);
      const limit = pageSize || pageSizeDefault;
      const found = await store.listAudit(sql, {...filter, before, limit: limit + 1});
      const entries = found.slice(0, limit);
      const nextPageToken = found.length > limit ? String(entries.at(-1)?.position ?? '') : '';
      return {entries, nextPageToken};
    },

    /** Oldest first, up to the last entry there is now. */
    async *export(
      {after: first, ...filter}: AuditFilter & {readonly after: number},
      signal: AbortSignal,
    ): AsyncGenerator<AuditEntry> {
      const upTo = (await store.findAuditHead(sql))?.position ?? 0;
      let after = first;
      while (!signal.aborted) {
        const entries = await store.listAudit(sql, {...filter, after, upTo, limit: readMax});
        yield* entries;
        if (entries.length < readMax) return;
        after = entries.at(-1)?.position ?? upTo;
      }
    },

    /** Progress, and at last the verdict. `known` is a position and hash that were noted outside of this system. */
    async *verify(
      known: {readonly position: number; readonly hash: string} | undefined,
      signal: AbortSignal,
    ): AsyncGenerator<AuditProgress | AuditVerdict> {
      let {base, checkpoints} = await readCheckpoints(sql);
      const stored = (await store.findAuditHead(sql)) ?? base;
      const headPosition = Math.max(stored.position, base.position);
      if (known && known.position < base.position)
        throw truncatedAlready(known.position, base.position);
      const forged = checkpoints.find(checkpoint => !signer.isGenuine(checkpoint));
      let head: AuditHead = base;
      let broken: AuditBreak | undefined =
        (forged && {
          position: forged.position,
          reason: 'A checkpoint is forged: wrong signature',
        }) ??
        beyond(headPosition, checkpoints.at(-1)?.position ?? 0) ??
        (known && beyond(headPosition, known.position));
      const anchors = new Map(checkpoints.map(({position, hash}) => [position, hash]));
      if (known) anchors.set(known.position, Buffer.from(known.hash, 'hex'));
      const first = anchors.get(base.position);
      if (!broken && first && !first.equals(base.hash)) broken = rewritten(base.position);

      const progress = (): AuditProgress => ({
        checked: head.position - base.position,
        headPosition,
        truncatedPosition: base.position,
      });
      while (!broken && head.position < headPosition && !signal.aborted) {
        const upTo = nextAnchor(anchors, head.position) ?? headPosition;
        for await (const step of walkAudit(sql, head, Math.min(upTo, headPosition))) {
          head = step.head;
          broken = step.broken;
          if (signal.aborted) return;
          yield progress();
        }
        const anchor = anchors.get(head.position);
        if (!broken && anchor && !anchor.equals(head.hash)) broken = rewritten(head.position);
        if (!broken) continue;
        // Retention may have moved the beginning on meanwhile.
        const again = await readCheckpoints(sql);
        if (again.base.position <= head.position) continue;
        ({base, checkpoints} = again);
        head = base;
        broken = undefined;
      }
      yield {...progress(), head, broken: broken ?? (await leftover(base.position))};
    },
  };

  /** Entries that retention took away do not come back. */
  async function leftover(truncatedPosition: number): Promise<AuditBreak | undefined> {
    const [entry] = await store.listAudit(sql, {after: -1, upTo: truncatedPosition, limit: 1});
    return entry && {position: entry.position, reason: `Entry ${entry.position} was put in again`};
  }
}

function nextAnchor(anchors: ReadonlyMap<number, Buffer>, after: number): number | undefined {
  const later = [...anchors.keys()].filter(position => position > after);
  return later.length > 0 ? Math.min(...later) : undefined;
}

function beyond(headPosition: number, position: number): AuditBreak | undefined {
  if (position <= headPosition) return undefined;
  const reason = `Entries ${headPosition + 1} to ${position} are missing at the end`;
  return {position: headPosition + 1, reason};
}

function rewritten(position: number): AuditBreak {
  const reason = `The chain was computed anew: at ${position} it has another hash than the one that was signed or noted`;
  return {position, reason};
}

function truncatedAlready(position: number, base: number): DomainError {
  return new DomainError(
    'failed_precondition',
    `Cannot hold the audit against position ${position}: entries up to ${base} went by retention; use a later one`,
  );
}

/** Throws invalid_argument when only one of both is given. */
export function parseKnownHead(position: number, hash: string) {
  if (position === 0 && hash === '') return undefined;
  if (position === 0 || hash === '')
    throw new DomainError(
      'invalid_argument',
      'Cannot hold the audit against what you noted: say both known_position and known_hash',
    );
  return {position, hash};
}
