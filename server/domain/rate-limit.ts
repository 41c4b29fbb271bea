export type RateLimit = {
  /** False when this key has used up its share for now. */
  allow(key: string): boolean;
};

/** A fixed window for each key, in this process; at most `keysMax` keys are remembered, the oldest go first. */
export function createRateLimit({
  perMinuteMax,
  keysMax,
  now,
}: {
  readonly perMinuteMax: number;
  readonly keysMax: number;
  readonly now: () => Date;
}): RateLimit {
  const windows = new Map<string, {readonly endMs: number; count: number}>();
  return {
    allow(key) {
      const nowMs = now().getTime();
      const window = windows.get(key);
      if (window && window.endMs > nowMs) {
        window.count += 1;
        return window.count <= perMinuteMax;
      }
      windows.delete(key);
      windows.set(key, {endMs: nowMs + 60_000, count: 1});
      const [oldest] = windows.keys();
      if (windows.size > keysMax && oldest !== undefined) windows.delete(oldest);
      return true;
    },
  };
}
