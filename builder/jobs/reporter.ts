import {setTimeout as sleep} from 'node:timers/promises';
import {type Client, Code, ConnectError} from '@connectrpc/connect';
import {timestampNow} from '@bufbuild/protobuf/wkt';
import type {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {BuildStep} from '../backends/backend.ts';
import {isTransient} from '../retry.ts';
import {createLogBuffer} from './log-buffer.ts';
import {progressAt} from './progress.ts';

/** At most so often: a live log, not a flood. */
const reportEveryMs = 500;
/** Also without news: the answer says whether to go on. */
const askEveryMs = 3000;
const callTimeoutMs = 15_000;
const flushAttemptsMax = 3;
/** Finer steps are not worth a report. */
const percentStep = 0.5;

export type Attempt = {readonly buildId: string; readonly attempt: number};

export type Reporter = {
  readonly log: (line: string) => void;
  readonly step: (name: string) => void;
  /** Of the current step, 0 to 1. */
  readonly progress: (fraction: number) => void;
  /** Stops reporting; what is still buffered is sent first, in a few attempts. */
  end(): Promise<void>;
};

/**
 * Carries log and progress of one attempt to the server while it runs. `onStop` is called once when the server says that somebody asked to
 * cancel, or that this attempt is not the current one any more.
 */
export function startReporter(
  builds: Pick<Client<typeof BuildService>, 'reportBuild'>,
  {buildId, attempt}: Attempt,
  {
    steps,
    onStop,
    log,
  }: {
    /** Of the back end. */
    steps: readonly BuildStep[];
    onStop: (reason: 'cancelled' | 'stale') => void;
    log: Logger;
  },
): Reporter {
  const buffer = createLogBuffer();
  const ending = new AbortController();
  let step = '';
  let percent = 0;
  let hasNews = false;
  let askedMs = 0;

  async function report(): Promise<void> {
    const lines = buffer.next();
    hasNews = false;
    askedMs = performance.now();
    const {cancelRequested} = await builds.reportBuild(
      {
        buildId,
        attempt,
        step,
        progressPercent: percent,
        ...(lines.length > 0 && {log: {time: timestampNow(), lines: [...lines]}}),
      },
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
        if (isStale(error)) {
          onStop('stale');
          return;
        }
        log.warn({err: error}, 'cannot report on the build');
      }
    }
  }

  /** Never back: what is worth less than what was shown is not shown. */
  function advance(fraction: number): void {
    const next = progressAt(steps, step, fraction);
    if (next - percent < percentStep) return;
    percent = next;
    hasNews = true;
  }

  const running = loop();
  return {
    log: line => buffer.add(line),
    step(next) {
      step = next;
      advance(0);
      hasNews = true;
      buffer.add(`Step ${next}`);
    },
    progress: advance,
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

/** The server has given the build to somebody else, ended it, or does not know it. */
export const isStale = (error: unknown): boolean =>
  error instanceof ConnectError && [Code.Aborted, Code.NotFound].includes(error.code);
