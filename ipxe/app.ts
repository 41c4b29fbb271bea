import {randomUUID} from 'node:crypto';
import path from 'node:path';
import type {Logger} from '@muster/runtime/log.ts';
import {createAnswers} from './answers.ts';
import {createArtifactRoute} from './artifact-route.ts';
import {type Artifacts, openArtifacts} from './artifacts.ts';
import {type Book, type BookChange, createBook} from './book.ts';
import type {EdgeConfig} from './config.ts';
import {createFileDesk} from './file-desk.ts';
import {createHops, type Hops} from './hops.ts';
import {type HttpListener, listenHttp} from './http.ts';
import {type Identity, loadIdentity} from './identity.ts';
import {type ServerLink, startLink} from './link.ts';
import {createLoaderDesk} from './loader-desk.ts';
import {readLoaders} from './loaders.ts';
import {createMetrics, type Metrics} from './metrics.ts';
import {createNeighbours} from './neighbours.ts';
import manifest from './package.json' with {type: 'json'};
import {createNixCacheRoute} from './nix-cache-route.ts';
import {startPrefetch} from './prefetch.ts';
import {createReplies} from './replies.ts';
import {createResolver} from './resolve.ts';
import {createRefuse} from './respond.ts';
import {createRoutes} from './routes.ts';
import {createFileSender} from './send-file.ts';
import {createSessions} from './sessions.ts';
import {keepSnapshot, loadSnapshot} from './snapshot.ts';
import {createStorePathDesk} from './store-paths.ts';
import {listenTftp, type TftpServer} from './tftp.ts';
import {createTokenRoute} from './token-route.ts';
import {changeOf} from './watch.ts';

const hopsTimeoutMs = 10_000;
const newId = randomUUID;
const nowMs = () => performance.now();

export type Edge = AsyncDisposable & {
  readonly httpPort: number;
  /** Undefined when TFTP is off. */
  readonly tftpPort: number | undefined;
  /** How many machines it can answer for from memory. */
  readonly machines: () => number;
};

/** The edge: answers machines from memory, whatever state the server is in. Listens once the last known answers are loaded. */
export async function startEdge(config: EdgeConfig, log: Logger): Promise<Edge> {
  await using stack = new AsyncDisposableStack();
  const metrics = createMetrics();
  const knowledge = await openKnowledge({config, metrics, log, stack});
  const {book, link, hops, artifacts} = knowledge;
  metrics.gauge('machines', 'Machines in the answer book', () => book.size);
  metrics.gauge('hops_waiting', 'Boot hops not yet taken by the server', () => hops.waiting);
  metrics.gauge('following', '1 while the answer stream is up', () => Number(link.following));
  metrics.gauge('artifact_cache_bytes', 'Bytes of cached artifacts', () => artifacts.totalBytes);

  const {http, tftp} = await listen({config, metrics, log, stack, knowledge});
  log.info({httpPort: http.port, tftpPort: tftp?.port, machines: book.size}, 'edge listens');
  const owned = stack.move();
  return {
    httpPort: http.port,
    tftpPort: tftp?.port,
    machines: () => book.size,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Parts = {
  readonly config: EdgeConfig;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** What is opened is closed with it, in reverse. */
  readonly stack: AsyncDisposableStack;
};

type Knowledge = {
  readonly identity: Identity;
  readonly book: Book;
  readonly artifacts: Artifacts;
  readonly link: ServerLink;
  readonly hops: Hops;
};

/** What the edge knows, and how it learns and reports: the book, the artifacts, the link to the server. */
async function openKnowledge({config, metrics, log, stack}: Parts): Promise<Knowledge> {
  const {stateDir, serverUrl, joinCode} = config;
  const identity = await loadIdentity(stateDir);
  const book = createBook();
  const file = path.join(stateDir, 'boot-answers');
  const stored = await loadSnapshot(file, log);
  if (stored) book.apply(changeOf(stored));
  log.info({machines: book.size, revision: String(book.revision)}, 'boot answers loaded');

  let link: ServerLink | undefined;
  const artifacts = stack.use(
    await openArtifacts({
      directory: path.join(stateDir, 'artifacts'),
      bytesMax: config.artifactCacheBytesMax,
      source: () => {
        const member = link?.membership;
        const url = (sha256: string) => `${serverUrl}/blobs/sha256/${sha256}`;
        return member && {url, authorize: member.authorize};
      },
      isWanted: sha256 => book.artifact(sha256) !== undefined,
      metrics,
      log,
    }),
  );
  const snapshot = stack.use(keepSnapshot({file, book, log}));
  const apply = (change: BookChange) => {
    book.apply(change);
    snapshot.changed();
    if (change.images) prefetch.changed();
  };
  const revision = () => book.revision;
  const {version} = manifest;
  link = startLink({serverUrl, joinCode, stateDir, identity, version, log, revision, apply});
  const prefetch = stack.use(startPrefetch({book, artifacts}));
  const hops = openHops({link, metrics, log, stack});
  return {identity, book, artifacts, link, hops};
}

/** The link ends first, then the last hops go out, then the connection is closed. */
function openHops({link, metrics, log, stack}: {link: ServerLink} & Omit<Parts, 'config'>): Hops {
  stack.defer(() => link.close());
  const hops = stack.use(
    createHops({
      nowMs: () => performance.now(),
      send: async (batch, signal) => {
        const member = link.membership;
        if (!member) throw new Error('Cannot report boot hops: this edge has not joined');
        await member.boot.reportBootHops({hops: batch}, {signal, timeoutMs: hopsTimeoutMs});
      },
      metrics,
      log,
      newId,
    }),
  );
  stack.use(link);
  return hops;
}

async function listen({
  config,
  metrics,
  log,
  stack,
  knowledge,
}: Parts & {readonly knowledge: Knowledge}): Promise<{http: HttpListener; tftp?: TftpServer}> {
  const {identity, book, artifacts, link, hops} = knowledge;
  const sessions = createSessions({nowMs, newId});
  const neighbours = createNeighbours({nowMs});
  const refuse = createRefuse({metrics, log, nowMs});
  const loaders = await readLoaders(config.loadersDir, log);
  const desk = createLoaderDesk({loaders, neighbours, book, sessions, hops});
  const replies = createReplies(book);
  const resolve = createResolver({client: () => link.membership?.boot, metrics, log});
  const answers = createAnswers({book, replies, sessions, resolve, hops, metrics, nowMs});

  const shared = {book, sessions, hops, metrics, refuse, log};
  const files = createFileDesk({artifacts, sendFile: createFileSender()});
  const client = () => link.membership?.storePaths;
  const storePaths = createStorePathDesk({client, metrics, log, nowMs});
  const {edgeUrl} = config;
  const issuer = () => link.membership?.serviceId;
  const handler = createRoutes({
    ...shared,
    answers,
    loaders: desk,
    serveArtifact: createArtifactRoute({...shared, files}),
    nixCache: createNixCacheRoute({storePaths, files, metrics, refuse}),
    serveToken: createTokenRoute({...shared, edgeUrl, identity, issuer, neighbours, newId}),
    // Not whether the server is there: an edge answers without it.
    readiness: () => ({
      joined: issuer() !== undefined,
      answers: book.settings !== undefined,
      loaders: !config.tftp || loaders.complete,
    }),
  });

  const tftp = config.tftp
    ? stack.use(await listenTftp({...config, desk, metrics, log}))
    : undefined;
  const {ready} = answers;
  const http = stack.use(await listenHttp({...config, ready, handler, metrics, log}));
  return {http, ...(tftp ? {tftp} : {})};
}
