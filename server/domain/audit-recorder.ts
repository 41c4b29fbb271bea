import {randomUUID} from 'node:crypto';
import {maskText} from '../masking.ts';
import {type AuditOutcome, insertAuditEntry, type NewAuditEntry} from '../store/audit.ts';
import type {AuditedCall} from '../audited-call.ts';
import type {Deps} from './deps.ts';
import {createRateLimit} from './rate-limit.ts';

/** Of refused and failed calls, and of what strangers call: kept one by one; the rest is counted. */
const keptPerMinuteMax = 10;
const keptPerMinuteOfAllMax = 120;
const sourcesMax = 10_000;
const summariesMax = 200;
const shortRequestLengthMax = 2048;
const requestLengthMax = 64 * 1024;
const errorLengthMax = 512;

export type EndedCall = {
  readonly call: AuditedCall;
  readonly resource: string;
  readonly outcome: AuditOutcome;
  readonly code: string;
  readonly error: string;
};

export type AuditRecorder = ReturnType<typeof createAuditRecorder>;

/** Writes what no change has told: calls that changed nothing, were refused or failed. An attacker fills a counter, not the table. */
export function createAuditRecorder({sql, now, newId}: Deps) {
  const ofSource = createRateLimit({perMinuteMax: keptPerMinuteMax, keysMax: sourcesMax, now});
  const ofAll = createRateLimit({perMinuteMax: keptPerMinuteOfAllMax, keysMax: 1, now});
  let summaries = new Map<string, NewAuditEntry>();

  function summarise(entry: NewAuditEntry): void {
    const key = JSON.stringify([entry.actor, entry.address, entry.method, entry.code]);
    const known = summaries.get(key);
    const fits = known !== undefined || summaries.size < summariesMax;
    // Too many sources to tell apart: then how many, and with what outcome, is what is left to say.
    const place = fits ? key : JSON.stringify([entry.outcome]);
    const before = summaries.get(place);
    const counted = fits ? entry : {...entry, actor: 'many', address: '', method: '', code: ''};
    const count = (before?.count ?? 0) + 1;
    summaries.set(place, {...counted, resource: '', request: undefined, count});
  }

  return {
    /** At the end of a call. */
    async record({call, resource, outcome, code, error}: EndedCall): Promise<void> {
      const caller = call.caller();
      const limited = outcome !== 'ok' || caller === undefined;
      const entry: NewAuditEntry = {
        id: newId(),
        time: now(),
        callId: call.id,
        actor: caller ?? 'anonymous',
        address: call.address(),
        method: call.method,
        resource: maskText(resource),
        action: '',
        request: undefined,
        before: undefined,
        after: undefined,
        outcome,
        code,
        error: maskText(error).slice(0, errorLengthMax),
        count: 1,
        durationMs: call.elapsedMs(),
      };
      const source = caller ?? entry.address;
      if (limited && !(ofSource.allow(source) && ofAll.allow('all'))) return summarise(entry);
      const lengthMax = limited ? shortRequestLengthMax : requestLengthMax;
      const text = call.request();
      const request = text && text.length > lengthMax ? tooLong(text) : text;
      // A failure is told even if something was changed before.
      const unless = outcome === 'ok' ? call.lastChangeId : undefined;
      await insertAuditEntry(sql, {...entry, request}, unless);
    },

    /** Of something that is no call of the contract: an upload into the image store. */
    async recordUpload(
      upload: Pick<NewAuditEntry, 'actor' | 'address' | 'method' | 'resource' | 'durationMs'>,
    ): Promise<void> {
      const entry: NewAuditEntry = {
        ...upload,
        id: newId(),
        time: now(),
        callId: randomUUID(),
        action: 'blob.stored',
        request: undefined,
        before: undefined,
        after: undefined,
        outcome: 'ok',
        code: 'ok',
        error: '',
        count: 1,
      };
      await insertAuditEntry(sql, entry, undefined);
    },

    /** Every minute, and when the process stops. */
    async writeSummaries(): Promise<void> {
      const waiting = summaries;
      summaries = new Map();
      for (const [key, entry] of waiting) {
        try {
          await insertAuditEntry(sql, {...entry, id: newId()}, undefined);
        } catch (error) {
          for (const [lost, kept] of [...waiting].slice([...waiting.keys()].indexOf(key)))
            if (summaries.size < summariesMax && !summaries.has(lost)) summaries.set(lost, kept);
          throw error;
        }
      }
    },
  };
}

const tooLong = (text: string): string => JSON.stringify({too_long: `${text.length} characters`});
