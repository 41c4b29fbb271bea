import {Code, ConnectError} from '@connectrpc/connect';

export type ExplainedError = {
  readonly title: string;
  readonly message: string;
  /** The same call may work later. */
  readonly canRetry: boolean;
};

const advice: Readonly<Partial<Record<Code, string>>> = {
  [Code.Unavailable]: 'The server does not answer. This page tries again by itself.',
  [Code.DeadlineExceeded]: 'The server took too long. Narrow the question, or try again.',
  [Code.PermissionDenied]: 'Your role does not allow this. An administrator can change it.',
  [Code.Unauthenticated]: 'Your session has ended. Sign in again.',
  [Code.Internal]: 'The server has logged what went wrong.',
};
const lasting: readonly Code[] = [
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.Unimplemented,
];

/** The one place where errors become words for people. `attempt` completes "Cannot …". */
export function explainError(error: unknown, attempt: string): ExplainedError {
  const connectError = ConnectError.from(error);
  const title = `Cannot ${attempt}`;
  const {code, rawMessage} = connectError;
  const isTransport = code === Code.Unknown && error instanceof TypeError;
  const own = isTransport ? (advice[Code.Unavailable] ?? '') : rawMessage;
  const extra = isTransport || isRefusedOtherwise(code, rawMessage) ? undefined : advice[code];
  const message = [own, extra === own ? undefined : extra].filter(Boolean).join('. ');
  return {title, message, canRetry: !lasting.includes(code)};
}

/** A code that is over and a wrong password are refused, too, whatever the role is: those sentences say what to do. */
const isRefusedOtherwise = (code: Code, message: string): boolean =>
  code === Code.PermissionDenied && !message.includes('role "');

export const isCode = (error: unknown, code: Code): boolean =>
  error instanceof ConnectError && error.code === code;
