/** Says "look again" to any number of waiters without a queue: a slow one finds everything in the table when it comes back. */
export type WakeUps = {
  /** Read it before looking; grows with every `notify()`. */
  readonly version: number;
  notify(): void;
  /** Resolves once `version` is above `seen`, or when the signal is aborted. */
  after(seen: number, signal: AbortSignal): Promise<void>;
};

export function createWakeUps(): WakeUps {
  let version = 0;
  const waiting = new Set<() => void>();
  return {
    get version() {
      return version;
    },
    notify() {
      version += 1;
      for (const wake of waiting) wake();
    },
    after: (seen, signal) =>
      new Promise(resolve => {
        const wake = () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        if (version > seen || signal.aborted) return wake();
        waiting.add(wake);
        signal.addEventListener('abort', wake, {once: true});
      }),
  };
}
