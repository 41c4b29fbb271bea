import {DomainError} from '../errors.ts';

/** What a request cannot do without; `what` completes "Cannot go on without …". */
export function required<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined)
    throw new DomainError('invalid_argument', `Cannot go on without ${what}`);
  return value;
}
