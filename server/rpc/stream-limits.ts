import {Code, ConnectError, type Interceptor} from '@connectrpc/connect';
import {callerKey} from './caller.ts';

const openStreamsMax = 2000;
const openStreamsPerCallerMax = 200;

/** Bounds the streams that are open at once, of everybody and of one caller (a person or service; an address when anonymous). */
export function limitStreams(): Interceptor {
  const open = new Map<string, number>();
  let total = 0;

  /** Gives the function that ends the count; it may be called twice. */
  const take = (key: string) => {
    const count = open.get(key) ?? 0;
    if (total >= openStreamsMax || count >= openStreamsPerCallerMax)
      throw new ConnectError(
        `Cannot open another stream: ${count} of yours and ${total} of all are open; close some first`,
        Code.ResourceExhausted,
      );
    total += 1;
    open.set(key, count + 1);

    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      total -= 1;
      const left = (open.get(key) ?? 1) - 1;
      if (left > 0) open.set(key, left);
      else open.delete(key);
    };
  };

  return next => async request => {
    if (!request.stream) return next(request);

    const {name, address, role} = request.contextValues.get(callerKey);
    const release = take(role === 'anonymous' ? address : name);
    // Also when nobody ever reads the response.
    request.signal.addEventListener('abort', release, {once: true});
    try {
      const response = await next(request);
      if (response.stream) return {...response, message: thenRelease(response.message, release)};
      release();
      return response;
    } catch (error) {
      release();
      throw error;
    }
  };
}

async function* thenRelease<T>(messages: AsyncIterable<T>, release: () => void) {
  try {
    yield* messages;
  } finally {
    release();
  }
}
