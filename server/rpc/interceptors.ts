import type {Interceptor} from '@connectrpc/connect';
import {createValidateInterceptor} from '@connectrpc/validate';
import type {Logger} from '@muster/runtime/log.ts';
import type {Registry} from 'prom-client';
import {auditCalls, type RecordCall} from './audit-calls.ts';
import {authorize} from './authorize.ts';
import {authenticate, type Identify} from './caller.ts';
import {countCalls} from './count-calls.ts';
import {mapErrors} from './error-interceptor.ts';
import {recheckStreams} from './recheck-streams.ts';
import {limitStreams} from './stream-limits.ts';

/** What every call passes, over whichever protocol it came; the first is the outermost. */
export function createInterceptors({
  identify,
  record,
  log,
  metrics,
}: {
  identify: Identify;
  /** Into the audit. */
  record: RecordCall;
  log: Logger;
  metrics: Registry;
}): Interceptor[] {
  return [
    countCalls(metrics, log),
    auditCalls({record, log, metrics}),
    mapErrors(log),
    authenticate(identify),
    authorize,
    limitStreams(),
    recheckStreams(),
    createValidateInterceptor(),
  ];
}
