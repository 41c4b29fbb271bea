import {setTimeout as sleep} from 'node:timers/promises';
import {BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Artifacts, FetchOutcome, OpenArtifact} from './artifacts.ts';
import type {ArtifactRole, Book} from './book.ts';
import {parseBootRequest, toBootClient} from './boot-request.ts';
import type {Hops} from './hops.ts';
import type {Metrics} from './metrics.ts';
import {type ByteRange, matchesEntityTag, parseRange} from './ranges.ts';
import {type Exchange, type Refuse, retryAfterSeconds} from './respond.ts';
import type {FileSender} from './send-file.ts';
import {joinSession} from './session-of.ts';
import type {BootSession, Sessions} from './sessions.ts';

/** How long a machine waits for an artifact that is being fetched. */
const waitMs = 120_000;
/** So many times in one boot a machine is told to wait for an artifact before its script gets the error. */
const waitsMax = 6;
const hopKinds: Readonly<Record<ArtifactRole, BootHop_Kind>> = {
  kernel: BootHop_Kind.KERNEL,
  initrd: BootHop_Kind.INITRD,
  layer: BootHop_Kind.LAYER,
};

/** `/images/sha256/<digest>/<name>`: immutable, whole or in part (RFC 9110, 13 and 14). */
export function createArtifactRoute({
  book,
  artifacts,
  sendFile,
  sessions,
  hops,
  metrics,
  refuse,
}: {
  readonly book: Book;
  readonly artifacts: Artifacts;
  readonly sendFile: FileSender;
  readonly sessions: Sessions;
  readonly hops: Hops;
  readonly metrics: Metrics;
  readonly refuse: Refuse;
}) {
  async function find(sha256: string): Promise<OpenArtifact | 'unknown' | FetchOutcome> {
    const cached = await artifacts.open(sha256);
    if (cached) return cached;
    const known = book.artifact(sha256);
    if (!known) return 'unknown';
    const fetched = artifacts.ensure(sha256, Number(known.artifact.sizeBytes));
    const outcome = await within(waitMs, fetched, 'unavailable');
    return outcome === 'ready' ? ((await artifacts.open(sha256)) ?? 'unavailable') : outcome;
  }

  function note(
    exchange: Exchange,
    {sha256, name}: {sha256: string; name: string},
    sent: {bytes: number; whole: boolean},
  ): BootSession | undefined {
    const known = book.artifact(sha256);
    const request = parseBootRequest(exchange.query);
    if (!known || request.keys.macAddresses.length === 0) return undefined;
    const session = joinSession({book, sessions, exchange, request});
    hops.add({
      kind: hopKinds[known.role],
      session: session.id,
      client: toBootClient(request, exchange.ipAddress, session.id),
      detail: `${name} ${exchange.response.statusCode}`,
      bytes: sent.bytes,
      complete: sent.whole,
      imageId: known.imageIds.length === 1 ? (known.imageIds[0] ?? '') : '',
    });
    return session;
  }

  /**
   * A machine waits for a server that is away; now and then it is let go, so that its script reports the failure and asks what to boot
   * now. For a lost artifact there is nothing to wait for.
   */
  function refuseFetch(exchange: Exchange, sha256: string, name: string, outcome: FetchOutcome) {
    exchange.response.statusCode = outcome === 'lost' ? 502 : 503;
    const session = note(exchange, {sha256, name}, {bytes: 0, whole: false});
    if (outcome === 'lost')
      return refuse(exchange, 502, `Cannot serve "${name}": the image store has lost it`);
    const letGo = session !== undefined && ++session.undelivered % waitsMax === 0;
    const message = `Cannot serve "${name}" now: the image store cannot be reached`;
    refuse(exchange, 503, message, letGo ? {} : {'retry-after': retryAfterSeconds});
  }

  return async function serveArtifact(exchange: Exchange, sha256: string, name: string) {
    metrics.request('artifact');
    const {request, response} = exchange;
    const found = await find(sha256);
    if (found === 'unknown')
      return refuse(exchange, 404, `Cannot serve "${sha256}": no image names it`);
    if (typeof found === 'string') return refuseFetch(exchange, sha256, name, found);

    try {
      const plan = planReply(request.headers, found.sizeBytes, `"${sha256}"`);
      response.writeHead(plan.status, plan.headers);
      if (!plan.range || request.method === 'HEAD') {
        response.end();
        return;
      }
      const bytes = await sendFile(response, found.handle, plan.range);
      metrics.artifactBytes(bytes);
      note(exchange, {sha256, name}, {bytes, whole: bytes === found.sizeBytes});
    } finally {
      await found.handle.close();
    }
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
