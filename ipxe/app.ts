import {randomUUID} from 'node:crypto';
import path from 'node:path';
import type {Logger} from '@muster/runtime/log.ts';
import {createAnswers} from './answers.ts';
import {createArtifactRoute} from './artifact-route.ts';
import {openArtifacts} from './artifacts.ts';
import {type BookChange, createBook} from './book.ts';
import type {EdgeConfig} from './config.ts';
import {createHops} from './hops.ts';
import {listenHttp} from './http.ts';
import {loadIdentity} from './identity.ts';
import {type ServerLink, startLink} from './link.ts';
import {createLoaderDesk} from './loader-desk.ts';
import {readLoaders} from './loaders.ts';
import {createMetrics} from './metrics.ts';
import {createNeighbours} from './neighbours.ts';
import manifest from './package.json' with {type: 'json'};
import {startPrefetch} from './prefetch.ts';
import {createReplies} from './replies.ts';
import {createResolver} from './resolve.ts';
import {createRefuse} from './respond.ts';
import {createRoutes} from './routes.ts';
import {createFileSender} from './send-file.ts';
import {createSessions} from './sessions.ts';
import {keepSnapshot, loadSnapshot} from './snapshot.ts';
import {listenTftp} from './tftp.ts';
import {createTokenRoute} from './token-route.ts';
import {changeOf} from './watch.ts';

const hopsTimeoutMs = 10_000;

export type Edge = AsyncDisposable & {
  readonly httpPort: number;
  /** Undefined when TFTP is off. */
  readonly tftpPort: number | undefined;
  /** How many machines it can answer for from memory. */
  readonly machines: () => number;
};

/** The edge: answers machines from memory, whatever state the server is in. Listens once the last known answers are loaded. */
export async function startEdge(config: EdgeConfig, log: Logger): Promise<Edge> {
  const nowMs = () => performance.now();
  const newId = randomUUID;
  const {stateDir} = config;
  await using stack = new AsyncDisposableStack();

  const identity = await loadIdentity(stateDir);
  const metrics = createMetrics();
  const book = createBook();
  const snapshotFile = path.join(stateDir, 'boot-answers');
  const stored = await loadSnapshot(snapshotFile, log);
  if (stored) book.apply(changeOf(stored));
  log.info({machines: book.size, revision: String(book.revision)}, 'boot answers loaded');

  let link: ServerLink | undefined;
  const member = () => link?.membership;
  const artifacts = stack.use(
    await openArtifacts({
      directory: path.join(stateDir, 'artifacts'),
      bytesMax: config.artifactCacheBytesMax,
      source: () => {
        const joined = member();
        return (
          joined && {
            url: sha256 => `${config.serverUrl}/blobs/sha256/${sha256}`,
            authorize: joined.authorize,
          }
        );
      },
      isWanted: sha256 => book.artifact(sha256) !== undefined,
      metrics,
      log,
    }),
  );
  const prefetch = stack.use(startPrefetch({book, artifacts}));
  const snapshot = stack.use(keepSnapshot({file: snapshotFile, book, log}));
  const apply = (change: BookChange) => {
    book.apply(change);
    snapshot.changed();
    if (change.images) prefetch.changed();
  };

  link = startLink({
    serverUrl: config.serverUrl,
    joinCode: config.joinCode,
    stateDir,
    identity,
    version: manifest.version,
    log,
    revision: () => book.revision,
    apply,
  });
  const joinedLink = link;
  stack.defer(() => joinedLink.close());
  const hops = stack.use(
    createHops({
      send: async (batch, signal) => {
        const joined = member();
        if (!joined) throw new Error('This edge has not joined');
        await joined.boot.reportBootHops({hops: batch}, {signal, timeoutMs: hopsTimeoutMs});
      },
      metrics,
      log,
      newId,
    }),
  );
  stack.use(link);

  const sessions = createSessions({nowMs, newId});
  const neighbours = createNeighbours({nowMs});
  const refuse = createRefuse({metrics, log, nowMs});
  const loaders = await readLoaders(config.loadersDir, log);
  const desk = createLoaderDesk({loaders, neighbours, book, sessions, hops});
  const answers = createAnswers({
    book,
    replies: createReplies(book),
    sessions,
    resolve: createResolver({client: () => member()?.boot, metrics, log}),
    hops,
    metrics,
    nowMs,
  });
  metrics.gauge('machines', 'Machines in the answer book', () => book.size);
  metrics.gauge('hops_waiting', 'Boot hops not yet taken by the server', () => hops.waiting);
  metrics.gauge('following', '1 while the answer stream is up', () => Number(joinedLink.following));
  metrics.gauge('artifact_cache_bytes', 'Bytes of cached artifacts', () => artifacts.totalBytes);

  const handler = createRoutes({
    answers,
    book,
    sessions,
    hops,
    loaders: desk,
    serveArtifact: createArtifactRoute({
      book,
      artifacts,
      sendFile: createFileSender(),
      sessions,
      hops,
      metrics,
      refuse,
    }),
    serveToken: createTokenRoute({
      edgeUrl: config.edgeUrl,
      identity,
      issuer: () => member()?.serviceId,
      book,
      sessions,
      neighbours,
      hops,
      metrics,
      refuse,
      log,
      newId,
    }),
    metrics,
    // Not whether the server is there: an edge answers without it.
    readiness: () => ({
      joined: member() !== undefined,
      answers: book.settings !== undefined,
      loaders: !config.tftp || loaders.complete,
    }),
    refuse,
    log,
  });

  const tftp = config.tftp
    ? stack.use(
        await listenTftp({
          host: config.tftpHost,
          port: config.tftpPort,
          blockBytesMax: config.tftpBlockBytesMax,
          transfersMax: config.tftpTransfersMax,
          transfersPerClientMax: config.tftpTransfersPerClientMax,
          desk,
          metrics,
          log,
        }),
      )
    : undefined;
  const http = stack.use(
    await listenHttp({
      host: config.httpHost,
      port: config.httpPort,
      connectionsMax: config.connectionsMax,
      connectionsPerAddressMax: config.connectionsPerAddressMax,
      ready: (tag, ipAddress) => answers.ready(tag, ipAddress)?.whole,
      handler,
      metrics,
      log,
    }),
  );
  log.info({httpPort: http.port, tftpPort: tftp?.port, machines: book.size}, 'edge listens');

  const owned = stack.move();
  return {
    httpPort: http.port,
    tftpPort: tftp?.port,
    machines: () => book.size,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
