import {randomInt} from 'node:crypto';
import {connect} from '@nats-io/transport-node';
import {createAgentService} from './agent-service.ts';
import {type CommandRunner, parseCommand} from './commands.ts';
import {keepCredential} from './credential.ts';
import type {Enrolled} from './enrol.ts';
import {createAuthenticator, type Identity} from './identity.ts';
import {describeError, type Log} from './log.ts';
import type {MetricsBuffer} from './metrics-buffer.ts';
import {monotonicMs} from './monotonic.ts';
import type {Outbox, Report} from './outbox.ts';
import {reportText} from './report-text.ts';
import {backoffMs, createWaker} from './waits.ts';

const connectTimeoutMs = 15_000;
const reconnect = {firstMs: 500, longestMs: 30_000} as const;
/** The first server is taken at random, so that a fleet spreads over them. */
const serverCountMax = 1000;
const pingIntervalMs = 10_000;
const pingsUnansweredMax = 2;
/** How often the outbox is looked through for reports to send again. */
const sendIntervalMs = 2000;
/** The certificate of every nats-server carries this name, whatever its address (docs/bus.md). */
export const natsServerName = 'nats.muster';

/** What a session needs of a connection to NATS: the client's own, or one that stands for a simulated machine. */
export type AgentConnection = {
  publish(subject: string, payload: string): void;
  subscribe(
    subject: string,
    options: {
      callback(
        error: Error | null,
        message: {readonly subject: string; readonly data: Uint8Array},
      ): void;
    },
  ): unknown;
  drain(): Promise<void>;
  close(): Promise<void>;
  /** With what closed it. */
  closed(): Promise<Error | void>;
  isClosed(): boolean;
  isDraining(): boolean;
  getServer(): string;
};

export type Login = {
  /** host:port */
  readonly address: string;
  readonly machineId: string;
  readonly siteCa: string;
  readonly identity: Identity;
  readonly jwt: () => string;
};

type SessionOptions = {
  /** How to reach NATS; absent: with its client. */
  readonly dial?: (login: Login) => Promise<AgentConnection>;
  /** The source address of calls to the server; absent: as the kernel chooses. */
  readonly localAddress?: string | undefined;
  readonly enrolled: Enrolled;
  readonly identity: Identity;
  readonly outbox: Outbox;
  readonly metrics: MetricsBuffer;
  readonly commands: CommandRunner;
  /** Puts a fresh hello into the outbox; called for each connection. */
  readonly putHello: () => void;
  /** Gives the session's way to send what is due, or takes it back when the session ends. */
  readonly onSender: (send: () => void) => void;
  readonly log: Log;
};

/**
 * One enrolment's life on NATS: connects, reconnects and renews until the signal aborts ("stopped") or the server knows the key no more
 * ("revoked"). Every connection is opened anew rather than revived by the client, which drops buffered messages and piles up
 * attempts after an expired login (notes/libraries.md, 3.1); the outbox makes up for what a lost connection swallowed.
 */
export async function runSession(
  options: SessionOptions,
  stopped: AbortSignal,
): Promise<'revoked' | 'stopped'> {
  const {enrolled, identity, log} = options;
  const over = new AbortController();
  const signal = AbortSignal.any([stopped, over.signal]);
  const retryTimer = createWaker();
  let connection: AgentConnection | undefined;

  const credential = keepCredential({
    service: createAgentService({
      ...enrolled.boot,
      localAddress: options.localAddress,
      signal,
    }),
    identity,
    machineId: enrolled.machineId,
    first: enrolled,
    onRenewed() {
      // A login is never upgraded in place: the server drops it at its expiry. Leave before that.
      void connection?.drain().catch(() => undefined);
      retryTimer.wake();
    },
    log,
    signal,
  });

  const connectAgainAndAgain = async () => {
    let attempt = 0;
    for (let server = randomInt(serverCountMax); !signal.aborted; server++) {
      const startedMs = monotonicMs();
      try {
        connection = await open(options, server, credential.jwt);
        const error = await serve(connection, options, signal);
        if (error) throw error;
        log.info({}, 'NATS connection closed');
      } catch (error) {
        log.warn({attempt}, `no NATS connection: ${describeError(error)}`);
        if (isRefusedLogin(error)) credential.renewEarly();
      }
      connection = undefined;
      // A connection that lasted is no failed attempt; one that is always cut at once is.
      if (monotonicMs() - startedMs > reconnect.longestMs) attempt = 0;
      await retryTimer.wait(backoffMs(attempt++, reconnect), signal);
    }
  };
  const connecting = connectAgainAndAgain();

  const outcome = await credential.ended;
  over.abort();
  await connecting;
  return outcome;
}

/** To one server, the next of the list at each attempt: without its own reconnecting, the client tries no second one. */
function open(
  {enrolled, identity, dial = connectToNats}: SessionOptions,
  server: number,
  jwt: () => string,
): Promise<AgentConnection> {
  const {machineId, natsServers, boot} = enrolled;
  const servers = natsServers.length > 0 ? natsServers : boot.natsServers;
  const address = servers[server % servers.length];
  if (address === undefined) throw new Error('No NATS servers in boot.json or from the server');
  return dial({address, machineId, siteCa: boot.siteCa, identity, jwt});
}

function connectToNats({
  address,
  machineId,
  siteCa,
  identity,
  jwt,
}: Login): Promise<AgentConnection> {
  // Passed on to node:tls, whose `servername` the client's own type does not know.
  const tls = {ca: siteCa, servername: natsServerName};
  return connect({
    servers: address,
    name: `agent ${machineId}`,
    tls,
    authenticator: createAuthenticator(identity, jwt),
    inboxPrefix: `muster.inbox.${machineId}`,
    reconnect: false,
    timeout: connectTimeoutMs,
    pingInterval: pingIntervalMs,
    maxPingOut: pingsUnansweredMax,
  });
}

/** Until the connection is closed; gives the error that closed it. */
async function serve(
  connection: AgentConnection,
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Error | undefined> {
  const {enrolled, outbox, metrics, log, onSender} = options;
  const {machineId} = enrolled;
  const send = createSender(connection, options);
  connection.subscribe(`muster.commands.${machineId}.>`, {
    callback(error, message) {
      if (error) log.warn({}, `cannot receive commands: ${describeError(error)}`);
      else receive(message, options);
    },
  });
  log.info({server: connection.getServer()}, 'connected to NATS');
  options.putHello();
  outbox.makeAllDue();
  metrics.makeDue();
  onSender(send);
  send();

  const timer = setInterval(send, sendIntervalMs);
  const stop = () => void connection.close().catch(() => undefined);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const error = await connection.closed();
  signal.removeEventListener('abort', stop);
  clearInterval(timer);
  onSender(() => undefined);
  return error ?? undefined;
}

function createSender(
  connection: AgentConnection,
  {enrolled, outbox, metrics, log}: SessionOptions,
): () => void {
  const {machineId} = enrolled;
  const publish = (report: Report) =>
    connection.publish(
      `muster.reports.agent.${machineId}.${report.kind}`,
      reportText(report, machineId),
    );
  return () => {
    const nowMs = monotonicMs();
    try {
      for (const report of outbox.due(nowMs)) {
        outbox.markSent(report, nowMs);
        publish(report);
      }
      if (connection.isClosed() || connection.isDraining()) return;
      const batch = metrics.take(nowMs);
      if (batch) publish(batch);
    } catch (error) {
      // The report stays where it is and goes out again, on the next connection at the latest.
      log.warn({}, `cannot send a report: ${describeError(error)}`);
    }
  };
}

function receive(
  message: {readonly subject: string; readonly data: Uint8Array},
  {enrolled, outbox, metrics, commands, log}: SessionOptions,
): void {
  const parsed = parseCommand(message.data, enrolled.machineId);
  if ('problem' in parsed) {
    log.warn({subject: message.subject}, `command dropped: ${parsed.problem}`);
    return;
  }
  const {command} = parsed;
  if (command.operation !== 'received') {
    void commands.run(command);
    return;
  }
  for (const reportId of command.reportIds) {
    outbox.confirm(reportId);
    metrics.confirm(reportId);
  }
}

/** By the client's words: its errors for a login refused at connect have no common class. */
function isRefusedLogin(error: unknown): boolean {
  return /authorization|authentication|revoked/i.test(describeError(error));
}
