import {timestampMs, type Timestamp} from '@bufbuild/protobuf/wkt';
import {Code, ConnectError} from '@connectrpc/connect';
import {useEffect, useState} from 'react';
import {joinLines, type LogLine} from './log-lines.ts';

/** At most four times a second, however fast a builder writes. */
const flushMs = 250;
const retryMs = 2_000;
/** Kept in the page; what comes before is left out, and said. */
export const logLinesMax = 100_000;

export type WatchedLog = {
  readonly lines: readonly LogLine[];
  /** So many lines at the beginning are not shown. */
  readonly leftOut: number;
  /** `ended`: the log is whole. */
  readonly state: 'connecting' | 'live' | 'waiting' | 'ended';
};

/** What a stream brings: lines, or undefined for anything else, which its reader has taken for itself. */
type LogPart = {readonly lines: readonly string[]; readonly time?: Timestamp | undefined};
export type OpenLog = (signal: AbortSignal) => AsyncIterable<LogPart | undefined>;

const empty: WatchedLog = {lines: [], leftOut: 0, state: 'connecting'};

/** A log as it comes. `open` begins with the first line each time, and must be a stable function. */
export function useWatchedLog(open: OpenLog): WatchedLog {
  const [log, setLog] = useState(empty);
  useEffect(() => {
    setLog(empty);
    const stopping = new AbortController();
    void watch(open, setLog, stopping.signal);
    return () => stopping.abort();
  }, [open]);
  return log;
}

async function watch(
  open: OpenLog,
  onLog: (log: WatchedLog) => void,
  signal: AbortSignal,
): Promise<void> {
  const tell = createTeller(onLog, signal);
  while (!signal.aborted) {
    try {
      // Each watch begins with the first line: after a break the log is made anew.
      tell.begin();
      for await (const part of open(signal)) {
        if (part) tell.add(part.lines, part.time ? timestampMs(part.time) : 0);
        tell.state('live');
      }
      return tell.state('ended');
    } catch (error) {
      if (signal.aborted) return;
      const {code} = ConnectError.from(error);
      // The page says these of its own call.
      if (code === Code.NotFound || code === Code.PermissionDenied) return tell.state('ended');
      if (code === Code.InvalidArgument) return tell.state('ended');
      if (code === Code.Unauthenticated) return;
      tell.state('waiting');
      await new Promise(resolve => setTimeout(resolve, retryMs));
    }
  }
}

/** Gathers what comes, and tells of it at most every `flushMs`. */
function createTeller(onLog: (log: WatchedLog) => void, signal: AbortSignal) {
  let lines: LogLine[] = [];
  let leftOut = 0;
  let state: WatchedLog['state'] = 'connecting';
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener('abort', () => clearTimeout(timer), {once: true});

  const flush = () => {
    timer = undefined;
    if (signal.aborted) return;
    if (lines.length > logLinesMax) leftOut += lines.splice(0, lines.length - logLinesMax).length;
    onLog({lines: [...lines], leftOut, state});
  };
  const schedule = () => {
    timer ??= setTimeout(flush, flushMs);
  };
  return {
    begin() {
      lines = [];
      leftOut = 0;
    },
    add(texts: readonly string[], timeMs: number) {
      joinLines(lines, texts, timeMs);
      schedule();
    },
    state(next: WatchedLog['state']) {
      if (next === state) return;
      state = next;
      schedule();
    },
  };
}
