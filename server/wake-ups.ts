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

/** Wake-ups by key, so that a waiter hears only of what it waits for. */
export type KeyedWakeUps = {
  /** The empty key wakes all: something may have been missed. */
  notify(key: string): void;
  subscribe(key: string): Omit<WakeUps, 'notify'> & Disposable;
};

export function createKeyedWakeUps(): KeyedWakeUps {
  const subscribers = new Map<string, Set<WakeUps>>();
  return {
    notify(key) {
      const wanted = key === '' ? [...subscribers.values()] : [subscribers.get(key) ?? []];
      for (const wakeUps of wanted) for (const one of wakeUps) one.notify();
    },
    subscribe(key) {
      const one = createWakeUps();
      const others = subscribers.get(key) ?? new Set();
      subscribers.set(key, others.add(one));
      return {
        get version() {
          return one.version;
        },
        after: one.after,
        [Symbol.dispose]() {
          others.delete(one);
          if (others.size === 0) subscribers.delete(key);
        },
      };
    },
  };
}
