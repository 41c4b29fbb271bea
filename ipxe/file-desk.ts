import {setTimeout as sleep} from 'node:timers/promises';
import type {Artifacts, FetchOutcome, OpenArtifact} from './artifacts.ts';
import {type ByteRange, matchesEntityTag, parseRange} from './ranges.ts';
import type {Exchange} from './respond.ts';
import type {FileSender} from './send-file.ts';

/** How long a machine waits for a file that is being fetched. */
const waitMs = 120_000;

export type FileDesk = ReturnType<typeof createFileDesk>;

/** Immutable files by digest, to machines: whole or in part (RFC 9110, 13 and 14), fetched when they are not there. */
export function createFileDesk({
  artifacts,
  sendFile,
}: {
  readonly artifacts: Artifacts;
  readonly sendFile: FileSender;
}) {
  return {
    /** The caller sends what it got, or closes its handle. Undefined when it is not in the cache. */
    open: (sha256: string): Promise<OpenArtifact | undefined> => artifacts.open(sha256),

    async fetch(sha256: string, sizeBytes: number): Promise<OpenArtifact | FetchOutcome> {
      const outcome = await within(waitMs, artifacts.ensure(sha256, sizeBytes), 'unavailable');
      return outcome === 'ready' ? ((await artifacts.open(sha256)) ?? 'unavailable') : outcome;
    },

    /** How many bytes of content the connection took; undefined when there was none to send. Closes the file. */
    async send(
      {request, response}: Exchange,
      sha256: string,
      file: OpenArtifact,
    ): Promise<number | undefined> {
      try {
        const plan = planReply(request.headers, file.sizeBytes, `"${sha256}"`);
        response.writeHead(plan.status, plan.headers);
        if (plan.range && request.method !== 'HEAD')
          return await sendFile(response, file.handle, plan.range);
        response.end();
        return undefined;
      } finally {
        await file.handle.close();
      }
    },
  };
}

type Plan = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  /** What to send; undefined for no content. */
  readonly range: ByteRange | undefined;
};

/** What a GET for a file of this size and tag is answered with. */
export function planReply(
  asked: Readonly<Record<string, string | readonly string[] | undefined>>,
  sizeBytes: number,
  tag: string,
): Plan {
  const header = (name: string) => (typeof asked[name] === 'string' ? asked[name] : undefined);
  const common = {
    etag: tag,
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=31536000, immutable',
  };
  if (matchesEntityTag(header('if-none-match'), tag))
    return {status: 304, headers: common, range: undefined};

  const ifRange = header('if-range');
  const range =
    ifRange === undefined || ifRange === tag ? parseRange(header('range'), sizeBytes) : undefined;
  const content = {...common, 'content-type': 'application/octet-stream'};
  if (range === 'unsatisfiable')
    return {
      status: 416,
      headers: {...common, 'content-range': `bytes */${sizeBytes}`, 'content-length': 0},
      range: undefined,
    };
  if (range)
    return {
      status: 206,
      headers: {
        ...content,
        'content-range': `bytes ${range.first}-${range.last}/${sizeBytes}`,
        'content-length': range.last - range.first + 1,
      },
      range,
    };
  return {
    status: 200,
    headers: {...content, 'content-length': sizeBytes},
    range: {first: 0, last: sizeBytes - 1},
  };
}

async function within<T>(ms: number, work: Promise<T>, late: T): Promise<T> {
  const timer = new AbortController();
  const timeout = sleep(ms, late, {signal: timer.signal}).catch(() => late);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timer.abort();
  }
}
