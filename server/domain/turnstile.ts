import {DomainError} from '../errors.ts';

export type Turnstile = {
  /** Throws unavailable when too many wait already, or when the caller's turn did not come in time. */
  pass<T>(work: () => Promise<T>): Promise<T>;
};

/**
 * So many at once, and the others in the order in which they came: a whole site that powers on takes no more than its share of the connections
 * to PostgreSQL, and what its machines have given up waiting for is not done.
 */
export function createTurnstile({
  what,
  atOnceMax,
  waitingMax,
  waitMsMax,
}: {
  /** As in "Cannot enrol now". */
  readonly what: string;
  readonly atOnceMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
}): Turnstile {
  const waiting: {readonly sinceMs: number; readonly go: (inTime: boolean) => void}[] = [];
  let inside = 0;

  const leave = () => {
    for (;;) {
      const next = waiting.shift();
      if (!next) {
        inside--;
        return;
      }
      const inTime = performance.now() - next.sinceMs <= waitMsMax;
      next.go(inTime);
      if (inTime) return;
    }
  };
  const enter = async () => {
    if (inside < atOnceMax) {
      inside++;
      return;
    }
    if (waiting.length >= waitingMax)
      throw new DomainError(
        'unavailable',
        `Cannot ${what} now: ${waitingMax} wait already; try again`,
      );
    const {promise, resolve} = Promise.withResolvers<boolean>();
    waiting.push({sinceMs: performance.now(), go: resolve});
    if (!(await promise))
      throw new DomainError(
        'unavailable',
        `Cannot ${what} now: its turn did not come within ${waitMsMax / 1000} s; try again`,
      );
  };

  return {
    async pass(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
