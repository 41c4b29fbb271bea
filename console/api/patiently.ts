import {mayRetry, retryDelayMs} from './query-client.ts';

/** As every other question of the console is asked again. Once nobody waits for the answer any more, it ends. */
export async function patiently<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  delayMs: (failures: number) => number = retryDelayMs,
): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !mayRetry(failures, error)) throw error;
    }
    await pause(delayMs(failures), signal);
  }
}

/** Rejects with the signal's reason when it is over before its time. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, {once: true});
  });
}
