import process from 'node:process';

/** What this needs of a log; pino's is one, and so is the agent's own. */
type RunLog = {
  info(details: object, message: string): void;
  fatal(details: object, message: string): void;
};

/**
 * Runs one process: starts it, disposes it in order on SIGINT or SIGTERM, and leaves a non-zero exit status when it could not
 * start or when something failed that nobody handled. The only place that decides about the exit of a process.
 */
export async function run(
  log: RunLog,
  start: (signal: AbortSignal) => Promise<AsyncDisposable>,
): Promise<void> {
  const stop = new AbortController();
  const stopped = new Promise<void>(resolve => {
    for (const name of ['SIGINT', 'SIGTERM'] as const)
      process.once(name, () => {
        log.info({signal: name}, 'stopping');
        stop.abort();
        resolve();
      });
  });
  process.on('unhandledRejection', error => {
    log.fatal({err: error}, 'unhandled rejection');
    process.exit(1);
  });

  try {
    await using running = await start(stop.signal);
    void running;
    await stopped;
  } catch (error) {
    if (!stop.signal.aborted) {
      log.fatal({err: error}, 'cannot start');
      process.exitCode = 1;
    }
  }
  // Everything was disposed. What still holds the event loop is a leak and must not hold the supervisor; and Node 26.10 may spin for ever
  // when it frees a process whose loop has ended by itself.
  process.exit();
}
