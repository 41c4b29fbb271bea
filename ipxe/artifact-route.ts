import {BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {FetchOutcome, OpenArtifact} from './artifacts.ts';
import type {ArtifactRole, Book} from './book.ts';
import {parseBootRequest, toBootClient} from './boot-request.ts';
import type {FileDesk} from './file-desk.ts';
import type {Hops} from './hops.ts';
import type {Metrics} from './metrics.ts';
import {type Exchange, type Refuse, retryAfterSeconds} from './respond.ts';
import {joinSession} from './session-of.ts';
import type {BootSession, Sessions} from './sessions.ts';

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
  files,
  sessions,
  hops,
  metrics,
  refuse,
}: {
  readonly book: Book;
  readonly files: FileDesk;
  readonly sessions: Sessions;
  readonly hops: Hops;
  readonly metrics: Metrics;
  readonly refuse: Refuse;
}) {
  async function find(sha256: string): Promise<OpenArtifact | 'unknown' | FetchOutcome> {
    const cached = await files.open(sha256);
    if (cached) return cached;
    const known = book.artifact(sha256);
    return known ? files.fetch(sha256, Number(known.artifact.sizeBytes)) : 'unknown';
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
    const found = await find(sha256);
    if (found === 'unknown')
      return refuse(exchange, 404, `Cannot serve "${sha256}": no image names it`);
    if (typeof found === 'string') return refuseFetch(exchange, sha256, name, found);

    const bytes = await files.send(exchange, sha256, found);
    if (bytes === undefined) return;
    metrics.artifactBytes(bytes);
    note(exchange, {sha256, name}, {bytes, whole: bytes === found.sizeBytes});
  };
}
