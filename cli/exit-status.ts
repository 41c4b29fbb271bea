import {Code, ConnectError} from '@connectrpc/connect';
import {CommanderError} from 'commander';

/** What `muster` ends with; `muster --help` lists it. */
export const exitStatus = {
  ok: 0,
  failure: 1,
  usage: 2,
  unreachable: 3,
  notAllowed: 4,
  notFound: 5,
} as const;

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** A failure whose sentence is meant for the person at the terminal. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly status: ExitStatus;

  constructor(message: string, status: ExitStatus = exitStatus.failure) {
    super(message);
    this.status = status;
  }
}

/** Of the contract, every answer holds what was asked for. */
export function assertAnswered(resource: unknown): asserts resource {
  if (!resource) throw new CommandError("The server's answer was empty");
}

const statusOfCode: Partial<Record<Code, ExitStatus>> = {
  [Code.InvalidArgument]: exitStatus.usage,
  [Code.Unavailable]: exitStatus.unreachable,
  [Code.Unauthenticated]: exitStatus.notAllowed,
  [Code.PermissionDenied]: exitStatus.notAllowed,
  [Code.NotFound]: exitStatus.notFound,
};

/** One sentence with what to do, and the status. No sentence: it has been said already. */
export function explainFailure(
  error: unknown,
  serverUrl: string,
): {readonly status: ExitStatus; readonly sentence?: string} {
  if (error instanceof CommanderError)
    return {status: error.exitCode === 0 ? exitStatus.ok : exitStatus.usage};
  if (error instanceof CommandError) return {status: error.status, sentence: error.message};
  if (!(error instanceof ConnectError))
    return {
      status: exitStatus.failure,
      sentence: error instanceof Error ? error.message : String(error),
    };

  if (isConnectionFailure(error))
    return {
      status: exitStatus.unreachable,
      sentence: `Cannot reach the server at ${serverUrl} (${error.rawMessage}): start it with "npm run up", or name another with --server`,
    };
  const status = statusOfCode[error.code] ?? exitStatus.failure;
  return {status, sentence: sentenceOf(error, serverUrl)};
}

function sentenceOf({code, rawMessage}: ConnectError, serverUrl: string): string {
  if (code === Code.Unimplemented)
    return `The server at ${serverUrl} does not know this request: it is another version, or no Muster`;
  const message = rawMessage || `The server answered with code "${Code[code]}" and no word`;
  return code === Code.Unauthenticated && !/sign in|log in/i.test(message)
    ? `${message}: log in with "muster login", or give --token`
    : message;
}

/** The connection itself failed: the server said nothing. */
export function isConnectionFailure({cause}: ConnectError): boolean {
  return cause instanceof Error && 'code' in cause && /^(E[A-Z]+|ERR_)/.test(String(cause.code));
}
