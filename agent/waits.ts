/** Exponential from `firstMs` to `longestMs`, the upper half of it random, so that a fleet does not come back in step. */
export function backoffMs(
  attempt: number,
  {firstMs, longestMs}: {readonly firstMs: number; readonly longestMs: number},
  random: number = Math.random(),
): number {
  const exponential = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(exponential / 2 + (exponential / 2) * random);
}

/** A wait that can be cut short. A call of `wake` while nobody waits ends the next wait at once. */
export type Waker = {
  wake(): void;
  /** Resolves after `ms`, when woken, or when the signal aborts; never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
};

export function createWaker(): Waker {
  let woken = false;
  let finish: (() => void) | undefined;
  return {
    wake() {
      woken = true;
      finish?.();
    },
    async wait(ms, signal) {
      if (!woken && !signal.aborted) {
        const {promise, resolve} = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, ms);
        finish = resolve;
        const aborted = () => resolve();
        signal.addEventListener('abort', aborted);
        await promise;
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
      }
      woken = false;
      finish = undefined;
    },
  };
}

/** Resolves after `ms` or when the signal aborts; never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return createWaker().wait(ms, signal);
}
