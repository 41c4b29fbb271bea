import {fromJson} from '@bufbuild/protobuf';
import {pathToString} from '@bufbuild/protobuf/reflect';
import {CompilationError, RuntimeError, ValidationError} from '@bufbuild/protovalidate';
import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type UnaryRequest,
} from '@connectrpc/connect';
import {AgentErrorInfoSchema, AgentService} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import {DomainError, type ErrorKind} from '../errors.ts';
import {isDatabaseUnavailable} from '../store/db.ts';
import {callerKey} from './caller.ts';

const codes: Readonly<Record<ErrorKind, Code>> = {
  invalid_argument: Code.InvalidArgument,
  unauthenticated: Code.Unauthenticated,
  permission_denied: Code.PermissionDenied,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  failed_precondition: Code.FailedPrecondition,
  aborted: Code.Aborted,
  resource_exhausted: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
};

export const codeOf = (kind: ErrorKind): Code => codes[kind];

type Request = UnaryRequest | StreamRequest;

/** The one place where failures become RPC codes. Unknown errors are logged once and answered as "Internal error". */
export const mapErrors =
  (log: Logger): Interceptor =>
  next =>
  async request => {
    const convert = (error: unknown) => toConnectError(error, request, log);

    async function* convertStream<T>(messages: AsyncIterable<T>) {
      try {
        yield* messages;
      } catch (error) {
        throw convert(error);
      }
    }

    try {
      const response = await next(request);
      return response.stream ? {...response, message: convertStream(response.message)} : response;
    } catch (error) {
      throw convert(error);
    }
  };

function toConnectError(error: unknown, request: Request, log: Logger): ConnectError {
  if (error instanceof ConnectError && !isBrokenRule(error))
    return describeViolations(error, request);
  if (error instanceof DomainError)
    return new ConnectError(
      error.message,
      codes[error.kind],
      headersOf(error),
      detailsOf(error, request),
      error,
    );
  if (request.signal.aborted) return ConnectError.from(request.signal.reason, Code.Canceled);

  const context = {
    err: error,
    method: request.method.name,
    caller: request.contextValues.get(callerKey).name,
  };
  if (isDatabaseUnavailable(error)) {
    log.warn(context, 'database unavailable');
    return new ConnectError(
      `Cannot complete ${request.method.name}: the database does not answer; try again in a few seconds`,
      Code.Unavailable,
      undefined,
      undefined,
      error,
    );
  }
  log.error(context, 'unhandled error');
  return new ConnectError('Internal error', Code.Internal, undefined, undefined, error);
}

/** A field rule in proto/ that cannot be evaluated is our mistake, not the caller's. */
function isBrokenRule({cause}: ConnectError): boolean {
  return cause instanceof CompilationError || cause instanceof RuntimeError;
}

/** Says in one sentence which fields are wrong; the violations stay as a detail for programs. */
function describeViolations(error: ConnectError, request: Request): ConnectError {
  const {cause} = error;
  if (!(cause instanceof ValidationError)) return error;
  const problems = cause.violations.map(({field, message}) =>
    field.length > 0 ? `"${pathToString(field)}" ${message}` : message,
  );
  const sentence = new ConnectError(
    `Cannot call ${request.method.name}: ${problems.join('; ')}`,
    Code.InvalidArgument,
    undefined,
    undefined,
    cause,
  );
  sentence.details = error.details;
  return sentence;
}

/** RFC 9110, 10.2.3. */
function headersOf({retryAfterSeconds}: DomainError) {
  return retryAfterSeconds === undefined
    ? undefined
    : {'retry-after': String(Math.ceil(retryAfterSeconds))};
}

/** Agents are programs: they act on the reason (AgentErrorInfo), not on the sentence. */
function detailsOf({reason}: DomainError, request: Request) {
  if (!reason || request.service.typeName !== AgentService.typeName) return undefined;
  const detail = fromJson(AgentErrorInfoSchema, {
    reason: `REASON_${reason}`,
  });
  return [{desc: AgentErrorInfoSchema, value: detail}];
}
