import type {Logger} from '@muster/runtime/log.ts';
import type {AuditRecorder} from '../domain/audit-recorder.ts';
import type {AuditUpkeep} from '../domain/audit-upkeep.ts';
import {repeat} from '../repeat.ts';

const signedEveryMs = 10_000;
const summarisedEveryMs = 60_000;
const truncatedEveryMs = 3_600_000;

/** Signs the end of the audit's chain, writes what was only counted, lets old entries go. */
export function startAuditUpkeep({
  upkeep,
  recorder,
  log,
}: {
  readonly upkeep: AuditUpkeep;
  readonly recorder: AuditRecorder;
  readonly log: Logger;
}): AsyncDisposable {
  const stack = new AsyncDisposableStack();
  stack.defer(() =>
    recorder.writeSummaries().catch((error: unknown) => {
      log.error({err: error}, 'counts of refused calls are lost');
    }),
  );
  const start = (name: string, intervalMs: number, step: () => Promise<void>) =>
    stack.use(repeat({name, intervalMs, step, log}));
  start('sign the audit', signedEveryMs, upkeep.signHead);
  start('summarise refused calls', summarisedEveryMs, recorder.writeSummaries);
  start('truncate the audit', truncatedEveryMs, upkeep.truncateOld);
  return stack;
}
