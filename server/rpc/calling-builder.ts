import type {ContextValues} from '@connectrpc/connect';
import type {Builder} from '../domain/attempt-fence.ts';
import {callerKey} from './caller.ts';

/** A builder is known by its service; the permission check has made sure that there is one. */
export function builderOf(values: ContextValues): Builder {
  const {serviceId, name} = values.get(callerKey);
  return {id: serviceId ?? '', actor: name};
}
