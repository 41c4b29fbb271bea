import {Code, ConnectError, type Interceptor} from '@connectrpc/connect';
import {isDatabaseUnavailable} from '../store/db.ts';
import {callerKey} from './caller.ts';
import {scopeFor} from './permissions.ts';

const recheckEveryMs = 10_000;

/**
 * A stream outlives the moment in which its caller was let in: it ends soon after the session, the token, the user or the role has, and tells no more
 * of a workspace in which the role is gone.
 */
export function recheckStreams(everyMs = recheckEveryMs): Interceptor {
  return next => async request => {
    const {contextValues, method} = request;
    const {recheck} = contextValues.get(callerKey);
    const response = await next(request);
    if (!response.stream || !recheck) return response;

    const check = async () => {
      const identity = await recheck();
      const scope = scopeFor(identity, method);
      if (!scope) throw refusal(identity.role, method.name);
      contextValues.set(callerKey, {...contextValues.get(callerKey), ...identity, scope});
    };
    return {...response, message: whileAllowed(response.message, check, everyMs)};
  };
}

const refusal = (role: string, method: string): ConnectError =>
  new ConnectError(
    `Cannot go on with ${method}: role "${role}" is not enough any more`,
    Code.PermissionDenied,
  );

async function* whileAllowed<T>(
  messages: AsyncIterable<T>,
  check: () => Promise<void>,
  everyMs: number,
): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  let refusal: {readonly error: unknown} | undefined;
  let refuse: (error: unknown) => void = () => undefined;
  const timer = setInterval(() => {
    check().catch((error: unknown) => {
      // No answer is no refusal.
      if (isDatabaseUnavailable(error)) return;
      refusal = {error};
      refuse(error);
    });
  }, everyMs).unref();
  try {
    for (;;) {
      if (refusal) throw refusal.error;
      const item = await new Promise<IteratorResult<T>>((resolve, reject) => {
        refuse = reject;
        iterator.next().then(resolve, reject);
      });
      if (item.done) return;
      yield item.value;
    }
  } finally {
    clearInterval(timer);
    // It may be waiting for its next message; the signal of the call ends it.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
