import {Code, ConnectError} from '@connectrpc/connect';

/** What a failed call says about the door of its method. */
export type DoorAnswer =
  /** Whatever the method then said. */
  | {readonly kind: 'let in'}
  | {readonly kind: 'refused'; readonly code: Code}
  /** Nobody looked at who called: a database or a connection that is too busy refuses nobody, and lets nobody in. */
  | {readonly kind: 'none'};

const atTheDoor =
  /^Cannot call \w+ (as|without a token)|^Cannot accept the (API token|token|cookie)/;
/** The server's own words begin like this; those of a connection that broke do not. */
const wordsOfServer = /^Cannot /;
const databaseAway = /: the database does not answer/;

export function doorAnswerOf(error: unknown): DoorAnswer {
  const {code, rawMessage} = ConnectError.from(error);
  if (atTheDoor.test(rawMessage)) return {kind: 'refused', code};
  const isNone =
    code === Code.Unavailable && (databaseAway.test(rawMessage) || !wordsOfServer.test(rawMessage));
  return {kind: isNone ? 'none' : 'let in'};
}
