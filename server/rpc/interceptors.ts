import type {Interceptor} from '@connectrpc/connect';
import {createValidateInterceptor} from '@connectrpc/validate';
import type {Logger} from '@muster/runtime/log.ts';
import {authorize} from './authorize.ts';
import {authenticate, type Identify} from './caller.ts';
import {mapErrors} from './error-interceptor.ts';
import {limitStreams} from './stream-limits.ts';

/** What every call passes, over whichever protocol it came; the first is the outermost. */
export function createInterceptors({
  identify,
  log,
}: {
  identify: Identify;
  log: Logger;
}): Interceptor[] {
  return [
    mapErrors(log),
    authenticate(identify),
    authorize,
    limitStreams(),
    createValidateInterceptor(),
  ];
}
