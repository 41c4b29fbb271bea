import {type Build, BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {timestampMs} from '@bufbuild/protobuf/wkt';
import {Code, ConnectError, createClient, type Transport} from '@connectrpc/connect';
import {createConnectQueryKey, useTransport} from '@connectrpc/connect-query';
import {type QueryClient, useQueryClient} from '@tanstack/react-query';
import {useEffect, useState} from 'react';

/** At most four times a second, however fast a builder writes. */
const flushMs = 250;
const retryMs = 2_000;
/** Kept in the page; what comes before is left out, and said. */
export const logLinesMax = 100_000;

export type LogLine = {readonly text: string; readonly timeMs: number};
export type WatchedLog = {
  readonly lines: readonly LogLine[];
  /** So many lines at the beginning are not shown. */
  readonly leftOut: number;
  /** `ended`: the log is whole. */
  readonly state: 'connecting' | 'live' | 'waiting' | 'ended';
};

const empty: WatchedLog = {lines: [], leftOut: 0, state: 'connecting'};

/** The log of a build as it comes. What the stream says of its state goes where GetBuild's answers are, for the whole page. */
export function useWatchedBuild(id: string): WatchedLog {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const [log, setLog] = useState(empty);
  useEffect(() => {
    setLog(empty);
    const stopping = new AbortController();
    void watch({id, transport, queryClient, onLog: setLog, signal: stopping.signal});
    return () => stopping.abort();
  }, [id, transport, queryClient]);
  return log;
}

type WatchInput = {
  readonly id: string;
  readonly transport: Transport;
  readonly queryClient: QueryClient;
  readonly onLog: (log: WatchedLog) => void;
  readonly signal: AbortSignal;
};

async function watch({id, transport, queryClient, onLog, signal}: WatchInput): Promise<void> {
  const client = createClient(BuildService, transport);
  const tell = createTeller(onLog, signal);
  const queryKey = createConnectQueryKey({
    schema: BuildService.method.getBuild,
    input: {id},
    transport,
    cardinality: 'finite',
  });
  const setBuild = (build: Build) =>
    queryClient.setQueryData(queryKey, old => (old ? {...old, build} : old));

  while (!signal.aborted) {
    try {
      // Each watch begins with the first line: after a break the log is made anew.
      tell.begin();
      for await (const {update} of client.watchBuild({id}, {signal})) {
        if (update.case === 'build') setBuild(update.value);
        else if (update.case === 'log') {
          const {time, lines} = update.value;
          tell.add(lines, time ? timestampMs(time) : 0);
        }
        tell.state('live');
      }
      return tell.state('ended');
    } catch (error) {
      if (signal.aborted) return;
      const {code} = ConnectError.from(error);
      // The page says these of GetBuild.
      if (code === Code.NotFound || code === Code.PermissionDenied) return tell.state('ended');
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
      for (const text of texts) lines.push({text, timeMs});
      schedule();
    },
    state(next: WatchedLog['state']) {
      if (next === state) return;
      state = next;
      schedule();
    },
  };
}
