import {createHash} from 'node:crypto';

import {EventEmitter, on} from 'node:events';
import {Code, ConnectError, type HandlerContext} from '@connectrpc/connect';
import {connectNodeAdapter} from '@connectrpc/connect-node';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type BootHop,
  BootService,
  type ResolveBootRequest,
  type ResolveBootResponseSchema,
  type WatchBootAnswersResponseSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {Service_Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {
  StorePathService,
  type StorePathSchema,
} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import {type Handler, listenOnePort} from '@muster/runtime/rpc-server.ts';
import {verifyToken} from '@muster/runtime/tokens.ts';

export const joinCode = 'join-code-of-the-test';

type Step = MessageInitShape<typeof WatchBootAnswersResponseSchema>;

export type MusterServer = Awaited<ReturnType<typeof startMusterServer>>;

/**
 * The server's side of an edge, as the contract describes it: a foreign process from the edge's point of view. Speaks real Connect over
 * one real port, checks the service tokens, and serves blobs.
 */
export async function startMusterServer({
  host = '127.0.0.1',
  port = 0,
}: {host?: string; port?: number} = {}) {
  const wakeUps = new EventEmitter({captureRejections: false}).setMaxListeners(0);
  const stopping = new AbortController();
  const state = {
    serviceId: '0197a000-0000-7000-8000-000000000001',
    publicKey: undefined as string | undefined,
    knowsService: true,
    /** Every step since the beginning; a watcher gets what it lacks. */
    steps: [] as Step[],
    hops: [] as BootHop[],
    hopBatches: 0,
    failHops: undefined as ConnectError | undefined,
    resolve: undefined as
      | ((
          request: ResolveBootRequest,
        ) => Promise<MessageInitShape<typeof ResolveBootResponseSchema>>)
      | undefined,
    resolved: [] as ResolveBootRequest[],
    reports: 0,
    refusedJoins: 0,
    watches: [] as bigint[],
    blobs: new Map<string, Buffer>(),
    blobRequests: [] as string[],
    storePaths: [] as MessageInitShape<typeof StorePathSchema>[],
    /** Each question about a store path. */
    storePathsAsked: [] as string[],
    corruptBlobs: false,
    /** Blob requests are never answered. */
    stallBlobs: false,
  };

  async function authorize(header: string | undefined): Promise<void> {
    const token = /^Bearer (.+)$/.exec(header ?? '')?.[1];
    if (token === undefined || !state.knowsService)
      throw new ConnectError('Who are you', Code.Unauthenticated);
    await verifyToken(token, 'service', issuer =>
      Promise.resolve(issuer === state.serviceId ? state.publicKey : undefined),
    ).catch((error: unknown) => {
      throw new ConnectError(String(error), Code.Unauthenticated);
    });
  }
  const check = ({requestHeader}: HandlerContext) =>
    authorize(requestHeader.get('authorization') ?? undefined);

  async function serveBlob(target: string, authorization: string | undefined) {
    try {
      await authorize(authorization);
    } catch {
      return {status: 401, body: Buffer.alloc(0)};
    }
    const digest = /^\/blobs\/sha256\/([0-9a-f]{64})$/.exec(target)?.[1] ?? '';
    state.blobRequests.push(digest);
    if (state.stallBlobs) await new Promise(() => undefined);
    const blob = state.blobs.get(digest);
    if (!blob) return {status: 404, body: Buffer.alloc(0)};
    return {status: 200, body: state.corruptBlobs ? Buffer.from(blob).fill(0, 0, 1) : blob};
  }

  const adapter: Handler = connectNodeAdapter({
    shutdownSignal: stopping.signal,
    routes(router) {
      router.service(BootService, {
        async *watchBootAnswers({revision}, context) {
          await check(context);
          state.watches.push(revision);
          const changes = on(wakeUps, 'change', {signal: context.signal});
          let next = state.steps.findIndex(step => (step.revision ?? 0n) > revision);
          if (next < 0) next = state.steps.length;
          for (;;) {
            for (; next < state.steps.length; next++) yield state.steps[next] ?? {};
            await changes.next();
          }
        },
        async resolveBoot(request, context) {
          await check(context);
          state.resolved.push(request);
          wakeUps.emit('resolved');
          if (!state.resolve) throw new ConnectError('Nothing prepared', Code.Unavailable);
          return state.resolve(request);
        },
        async reportBootHops({hops}, context) {
          await check(context);
          state.hopBatches++;
          if (state.failHops) throw state.failHops;
          for (const hop of hops)
            if (!state.hops.some(known => known.id === hop.id)) state.hops.push(hop);
          wakeUps.emit('hops');
          return {};
        },
      });
      router.service(StorePathService, {
        async findStorePath({key}, context) {
          await check(context);
          state.storePathsAsked.push(key.value ?? '');
          const found = state.storePaths.find(path =>
            key.case === 'hash' ? path.hash === key.value : path.narSha256 === key.value,
          );
          return found ? {storePath: found} : {};
        },
      });
      router.service(ServiceService, {
        joinService({code, publicKey}) {
          if (code !== joinCode) {
            state.refusedJoins++;
            throw new ConnectError('No such code', Code.PermissionDenied);
          }
          state.publicKey = publicKey;
          state.knowsService = true;
          return {service: {id: state.serviceId, kind: Service_Kind.EDGE, name: 'test'}};
        },
        async reportService(_request, context) {
          await check(context);
          state.reports++;
          wakeUps.emit('report');
          return {};
        },
      });
    },
    fallback: (request, response) => {
      void serveBlob(request.url ?? '', request.headers.authorization).then(({status, body}) => {
        response.statusCode = status;
        response.end(body);
      });
    },
  });
  const listener = await listenOnePort({
    handler: adapter,
    host,
    port,
    log: silentLogger,
  });

  return {
    state,
    port: listener.port,
    url: `http://${host}:${listener.port}`,
    /** Puts steps into the answer stream. */
    publish(...steps: Step[]) {
      state.steps.push(...steps);
      wakeUps.emit('change');
    },
    addBlob(content: Buffer): {sha256: string; sizeBytes: bigint} {
      const sha256 = createHash('sha256').update(content).digest('hex');
      state.blobs.set(sha256, content);
      return {sha256, sizeBytes: BigInt(content.length)};
    },
    /** Resolves when the condition holds; looked at after each event of this server. */
    async until(event: 'hops' | 'report' | 'resolved', condition: () => boolean): Promise<void> {
      const signal = AbortSignal.timeout(10_000);
      const events = on(wakeUps, event, {signal});
      while (!condition()) await events.next();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await listener[Symbol.asyncDispose]();
    },
  };
}
