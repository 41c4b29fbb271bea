import {setTimeout as sleep} from 'node:timers/promises';
import {timestampNow, type Timestamp} from '@bufbuild/protobuf/wkt';
import {type CallOptions, Code, ConnectError} from '@connectrpc/connect';
import type {Logger} from '@muster/runtime/log.ts';
import {isTransient} from '../retry.ts';
import {createLogBuffer} from './log-buffer.ts';

/** At most so often: a live log, not a flood. */
const reportEveryMs = 500;
/** Also without news: the answer says whether to go on. */
const askEveryMs = 3000;
const callTimeoutMs = 15_000;
const flushAttemptsMax = 3;

/** Sends how far an attempt is, with the lines that came since the last report. */
export type Report = (
  lines: {readonly log?: {readonly time: Timestamp; readonly lines: string[]}},
  call: CallOptions,
) => Promise<{readonly cancelRequested: boolean}>;

export type Reporter = {
  readonly log: (line: string) => void;
  /** There is something new beside the log. */
  readonly news: () => void;
  /** Stops reporting; what is still buffered is sent first, in a few attempts. */
  end(): Promise<void>;
};

/**
 * Carries what is new of one attempt to the server while it runs. `onStop` is called when the server says that somebody asked to cancel, or
 * that this attempt is not the current one any more.
 */
export function startReporter({
  noun,
  report: send,
  onStop,
  log,
}: {
  /** For logs: "build". */
  readonly noun: string;
  readonly report: Report;
  readonly onStop: (reason: 'cancelled' | 'stale') => void;
  readonly log: Logger;
}): Reporter {
  const buffer = createLogBuffer();
  const ending = new AbortController();
  let hasNews = false;
  let askedMs = 0;

  async function report(): Promise<void> {
    const lines = buffer.next();
    hasNews = false;
    askedMs = performance.now();
    const {cancelRequested} = await send(
      lines.length > 0 ? {log: {time: timestampNow(), lines: [...lines]}} : {},
      {timeoutMs: callTimeoutMs},
    );
    buffer.drop(lines.length);
    if (cancelRequested) onStop('cancelled');
  }

  async function loop(): Promise<void> {
    while (!ending.signal.aborted) {
      await sleep(reportEveryMs, undefined, {signal: ending.signal}).catch(() => undefined);
      const isDue = performance.now() - askedMs > askEveryMs;
      if (!isDue && !hasNews && buffer.isEmpty()) continue;
      try {
        await report();
      } catch (error) {
        if (isStale(error)) return onStop('stale');
        log.warn({err: error}, `cannot report on the ${noun}`);
      }
    }
  }

  const running = loop();
  return {
    log: line => buffer.add(line),
    news() {
      hasNews = true;
    },
    async end() {
      ending.abort();
      await running;
      for (let failures = 0; !buffer.isEmpty() && failures < flushAttemptsMax;) {
        try {
          await report();
        } catch (error) {
          if (!isTransient(error)) return;
          failures += 1;
          await sleep(reportEveryMs);
        }
      }
    },
  };
}

/** The server has given the work to somebody else, ended it, or does not know it. */
export const isStale = (error: unknown): boolean =>
  error instanceof ConnectError && [Code.Aborted, Code.NotFound].includes(error.code);
