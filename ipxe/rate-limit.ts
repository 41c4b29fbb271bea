/** True at most `max` times in each second: what strangers do must not fill the log. */
export function limitPerSecond(max: number, nowMs: () => number): () => boolean {
  let second = -1;
  let used = 0;
  return () => {
    const now = Math.floor(nowMs() / 1000);
    if (now !== second) {
      second = now;
      used = 0;
    }
    return used++ < max;
  };
}

const keysMax = 100_000;

/**
 * A token bucket for each key (an address): `burst` at once, then `perSecond`. What one machine sends must not push out what others
 * sent. At most 100,000 keys are remembered, the longest unused are forgotten.
 */
export function limitPerKey({
  burst,
  perSecond,
  nowMs,
}: {
  readonly burst: number;
  readonly perSecond: number;
  readonly nowMs: () => number;
}): (key: string) => boolean {
  const buckets = new Map<string, {tokens: number; atMs: number}>();
  return key => {
    const now = nowMs();
    const bucket = buckets.get(key) ?? {tokens: burst, atMs: now};
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > keysMax)
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  };
}
