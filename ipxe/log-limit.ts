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
