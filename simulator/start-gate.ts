const stepMs = 50;

/** Lets callers through at a steady rate, in the order in which they came. One timer for all, and none while nobody waits. */
export function createStartGate(perSecondMax: number) {
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let tokens = 1;
  let lastMs = 0;

  const step = () => {
    const nowMs = performance.now();
    tokens = Math.min(
      Math.max(1, (perSecondMax * stepMs * 4) / 1000),
      tokens + ((nowMs - lastMs) / 1000) * perSecondMax,
    );
    lastMs = nowMs;
    while (tokens >= 1) {
      const next = waiting.shift();
      if (!next) break;
      tokens--;
      next();
    }
    if (waiting.length > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    /** Resolves when it is the caller's turn, or at once when the signal aborts. */
    async pass(signal: AbortSignal): Promise<void> {
      if (signal.aborted) return;
      const {promise, resolve} = Promise.withResolvers<void>();
      waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(), {once: true});
      timer ??= setInterval(step, stepMs);
      await promise;
    },
    get waitingCount(): number {
      return waiting.length;
    },
  };
}

export type StartGate = ReturnType<typeof createStartGate>;
