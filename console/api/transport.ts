import {Code, ConnectError, type Interceptor, type Transport} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-web';

const readers = new Set<() => void>();

/** Called when the server no longer knows who this is. Returns how to stop. */
export function onSignedOut(reader: () => void): () => void {
  readers.add(reader);
  return () => readers.delete(reader);
}

/** Calls that somebody makes who is not signed in: their refusal belongs to the form. */
const public_ = new Set([
  'Login',
  'CompleteSetup',
  'CompletePasswordReset',
  'CompleteOidcLogin',
  'GetCaller',
]);

const watchSession: Interceptor = next => async request => {
  const failureOf = (error: unknown): ConnectError => {
    const failure = reachable(error);
    if (failure.code === Code.Unauthenticated && !public_.has(request.method.name))
      for (const reader of readers) reader();
    return failure;
  };
  try {
    const response = await next(request);
    // A stream fails while it is read.
    return response.stream
      ? {...response, message: watched(response.message, failureOf)}
      : response;
  } catch (error) {
    throw failureOf(error);
  }
};

async function* watched<T>(
  messages: AsyncIterable<T>,
  failureOf: (error: unknown) => ConnectError,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw failureOf(error);
  }
}

/** Browsers tell a server that is away as a TypeError. */
function reachable(error: unknown): ConnectError {
  const cause = error instanceof ConnectError ? error.cause : error;
  return cause instanceof TypeError
    ? new ConnectError(
        'The server cannot be reached',
        Code.Unavailable,
        undefined,
        undefined,
        cause,
      )
    : ConnectError.from(error);
}

/** Same origin: the session is a cookie that scripts cannot read, so there is nothing here to keep or to send. */
export const createBrowserTransport = (): Transport =>
  createConnectTransport({
    baseUrl: globalThis.location.origin,
    useBinaryFormat: true,
    interceptors: [watchSession],
  });
