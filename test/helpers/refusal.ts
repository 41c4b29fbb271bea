import type {ConnectError} from '@connectrpc/connect';

/** What the server says to a call that it refuses. */
export const refused = async (call: Promise<unknown>): Promise<Partial<ConnectError>> =>
  call.then(
    () => ({rawMessage: 'not refused'}),
    (error: ConnectError) => ({code: error.code, rawMessage: error.rawMessage}),
  );
