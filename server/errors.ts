/** What a program might want to tell apart. `rpc/error-interceptor.ts` gives each its wire code. */
export type ErrorKind =
  | 'invalid_argument'
  | 'unauthenticated'
  | 'permission_denied'
  | 'not_found'
  | 'already_exists'
  | 'failed_precondition'
  | 'aborted'
  | 'resource_exhausted'
  | 'unavailable';

/**
 * A failure that the caller can do something about. The message says what was attempted and what to do: capital first letter, no full
 * stop, values in quotes. `reason` is for programs (an AgentErrorInfo reason without its prefix, for instance).
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly kind: ErrorKind;
  readonly reason: string | undefined;
  /** When to try again; clients get it as `retry-after`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    options: {cause?: unknown; reason?: string; retryAfterSeconds?: number} = {},
  ) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.kind = kind;
    this.reason = options.reason;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
