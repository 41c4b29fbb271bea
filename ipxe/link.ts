import {setTimeout as sleep} from 'node:timers/promises';
import {type Client, Code, ConnectError, createClient} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {StorePathService} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import {createOutages, type Logger} from '@muster/runtime/log.ts';
import {
  createServerConnection,
  createServiceTransport,
  serviceAuthorization,
} from '@muster/runtime/rpc-client.ts';
import type {BookChange} from './book.ts';
import {type Identity, saveServiceId} from './identity.ts';
import {followAnswers} from './watch.ts';

const reportEveryMs = 10_000;
const rpcTimeoutMs = 5000;
const retryMinMs = 500;
const retryMaxMs = 10_000;
const refusedRetryMs = 10_000;
/** Reports that fail in a row while the stream seems alive: the stream is dead too. */
const failedReportsMax = 2;
const server = 'the server';

type Membership = {
  readonly serviceId: string;
  readonly boot: Client<typeof BootService>;
  readonly service: Client<typeof ServiceService>;
  readonly storePaths: Client<typeof StorePathService>;
  readonly authorize: () => Promise<string>;
};

export type LinkOptions = {
  readonly serverUrl: string;
  readonly joinCode: string;
  readonly stateDir: string;
  readonly identity: Identity;
  readonly version: string;
  readonly log: Logger;
  /** From which revision the book is to be continued. */
  readonly revision: () => bigint;
  readonly apply: (change: BookChange) => void;
};

export type ServerLink = ReturnType<typeof startLink>;

/**
 * This edge as a member of Muster: joins with its code, follows the answer book, reports every 10 s, and tries again for ever. Nothing
 * that a machine asks for waits for it.
 */
export function startLink(options: LinkOptions) {
  const {serverUrl, joinCode, stateDir, identity, version, log} = options;
  const outages = createOutages(log);
  const stop = new AbortController();
  const connection = createServerConnection(serverUrl);
  let membership = identity.serviceId === undefined ? undefined : memberAs(identity.serviceId);
  let following = false;
  /** A server that did not know this edge counts its revisions anew: a number of the old one means nothing to it. */
  let fromNothing = identity.serviceId === undefined;

  function memberAs(serviceId: string): Membership {
    const transport = createServiceTransport({
      baseUrl: serverUrl,
      serviceId,
      key: identity.key,
      sessionManager: connection.sessionManager,
    });
    return {
      serviceId,
      boot: createClient(BootService, transport),
      service: createClient(ServiceService, transport),
      storePaths: createClient(StorePathService, transport),
      authorize: serviceAuthorization(serviceId, identity.key),
    };
  }

  /** The same code and key again get the same answer, so that a lost answer costs nothing. */
  async function join(): Promise<Membership> {
    const transport = createConnectTransport({
      baseUrl: serverUrl,
      httpVersion: '2',
      sessionManager: connection.sessionManager,
    });
    const {service} = await createClient(ServiceService, transport).joinService(
      {code: joinCode, publicKey: identity.publicKey},
      {signal: stop.signal, timeoutMs: rpcTimeoutMs},
    );
    if (!service) throw new Error('Cannot join: the server named no service');
    await saveServiceId(stateDir, service.id);
    log.info({serviceId: service.id}, 'joined');
    return memberAs(service.id);
  }

  async function report({service}: Membership, signal: AbortSignal): Promise<void> {
    for (let failures = 0; ; await sleep(reportEveryMs, undefined, {signal})) {
      try {
        await service.reportService({version}, {signal, timeoutMs: rpcTimeoutMs});
        failures = 0;
        outages.works(server);
      } catch (error) {
        if (isRefusal(error) || ++failures >= failedReportsMax) throw error;
        outages.failed({what: server, err: error, message: 'report to the server failed'});
      }
    }
  }

  /** Returns or throws as soon as either the stream or the reports end; both are over then. */
  async function serve(member: Membership): Promise<void> {
    const round = new AbortController();
    const signal = AbortSignal.any([stop.signal, round.signal]);
    const stream = followAnswers({
      client: member.boot,
      revision: fromNothing ? 0n : options.revision(),
      signal,
      apply(change) {
        options.apply(change);
        fromNothing = false;
        following = true;
        outages.works(server);
      },
    });
    const reports = report(member, signal);
    try {
      await Promise.race([stream, reports]);
    } finally {
      following = false;
      round.abort();
      await Promise.allSettled([stream, reports]);
    }
  }

  async function run(): Promise<void> {
    let retryMs = retryMinMs;
    while (!stop.signal.aborted) {
      const startedMs = performance.now();
      let refused = false;
      try {
        membership ??= await joinWithCode();
        await serve(membership);
      } catch (error) {
        if (stop.signal.aborted) return;
        refused = isRefusal(error);
        logFailure(error, refused);
        connection.giveUpAfter(error);
        // A server with a new database knows nobody: the code, if it is still good, makes this edge a member again.
        const rejoined = refused && joinCode !== '' ? await rejoin(membership) : undefined;
        if (rejoined) {
          membership = rejoined;
          fromNothing = true;
          refused = false;
        }
      }
      if (performance.now() - startedMs > retryMaxMs) retryMs = retryMinMs;
      const pauseMs = refused ? refusedRetryMs : retryMs;
      retryMs = Math.min(retryMs * 2, retryMaxMs);
      await pause(pauseMs * (0.5 + Math.random() / 2));
    }
  }

  async function joinWithCode(): Promise<Membership> {
    if (joinCode !== '') return join();
    throw new ConnectError(
      'Cannot join without a code: run "muster service add edge NAME" and set JOIN_CODE',
      Code.Unauthenticated,
    );
  }

  async function rejoin(present: Membership | undefined): Promise<Membership | undefined> {
    if (!present) return undefined;
    try {
      return await join();
    } catch (error) {
      log.error({err: error}, 'cannot join again');
      return undefined;
    }
  }

  function logFailure(error: unknown, refused: boolean) {
    const [level, message] = refused
      ? (['error', 'the server refuses this edge, answering from memory'] as const)
      : (['warn', 'server not reachable, answering from memory'] as const);
    outages.failed({what: server, err: error, level, message});
  }

  async function pause(ms: number): Promise<void> {
    await sleep(ms, undefined, {signal: stop.signal}).catch(() => undefined);
  }

  const running = run();

  return {
    /** The stream is up and the book is current. */
    get following() {
      return following;
    },
    /** Undefined until this edge has joined once. */
    get membership() {
      return membership;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
    /** After everything that still reports: ends the connection. */
    close: () => connection[Symbol.dispose](),
  };
}

function isRefusal(error: unknown): boolean {
  const {code} = ConnectError.from(error);
  return (
    code === Code.Unauthenticated ||
    code === Code.PermissionDenied ||
    code === Code.NotFound ||
    code === Code.InvalidArgument ||
    code === Code.FailedPrecondition
  );
}
