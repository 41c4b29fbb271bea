import {setTimeout as sleep} from 'node:timers/promises';
import {Code, ConnectError} from '@connectrpc/connect';

const firstDelayMs = 500;

/** Codes after which the same request may succeed: the server is away, busy or just starting. */
const transientCodes: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  Code.Internal,
  Code.Unknown,
  // Canceled by the transport when a connection breaks; our own aborts are looked at before.
  Code.Canceled,
]);

export const isTransient = (error: unknown): boolean =>
  !(error instanceof ConnectError) || transientCodes.has(error.code);

/** Tries again, with growing and scattered delays, while the failure is a passing one. Ends with the signal. */
export async function retryWhileTransient<T>(
  attempt: () => Promise<T>,
  {
    signal,
    delayMaxMs,
    onRetry,
  }: {signal: AbortSignal; delayMaxMs: number; onRetry?: (error: unknown) => void},
): Promise<T> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, delayMaxMs)) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!isTransient(error)) throw error;
      onRetry?.(error);
    }
    await sleep(delayMs * (0.5 + Math.random() / 2), undefined, {signal});
  }
}
