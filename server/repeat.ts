import type {Logger} from '@muster/runtime/log.ts';

/** The wait after a first failure; it doubles with each further one, up to the interval. */
const firstRetryMs = 500;

export type Repeated = AsyncDisposable & {
  /** Run soon; once more after the present run when it runs already. */
  wake(): void;
};

/**
 * Runs `step` at once, after each `wake()` and every `intervalMs`, never twice at a time. A failure is logged once in a row and tried again soon:
 * after an outage of seconds nobody waits for the next interval. Disposal aborts `signal` and waits for the present run.
 */
export function repeat({
  name,
  intervalMs,
  step,
  log,
}: {
  readonly name: string;
  readonly intervalMs: number;
  readonly step: (signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
}): Repeated {
  const stop = new AbortController();
  let failures = 0;
  let wanted = false;
  let running: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;

  const run = async () => {
    while (wanted && !stop.signal.aborted) {
      wanted = false;
      clearTimeout(retry);
      try {
        await step(stop.signal);
        if (failures > 0) log.info({task: name, failures}, 'task works again');
        failures = 0;
      } catch (error) {
        if (stop.signal.aborted) break;
        // One line for an outage, not one for each try.
        const level = failures === 0 ? 'warn' : 'debug';
        log[level]({err: error, task: name}, 'task failed, will try again');
        retry = setTimeout(wake, Math.min(intervalMs, firstRetryMs * 2 ** failures));
        failures += 1;
      }
    }
    running = undefined;
  };
  const wake = () => {
    wanted = true;
    running ??= run();
  };

  wake();
  const timer = setInterval(wake, intervalMs);
  return {
    wake,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stop.abort();
      await running;
      clearTimeout(retry);
    },
  };
}
