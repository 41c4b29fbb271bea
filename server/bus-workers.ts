import type {Logger} from '@muster/runtime/log.ts';
import {jetstream} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import {Counter, type Registry} from 'prom-client';
import type {NatsLink} from './clients/nats.ts';
import {type BusStatus, type PresenceWriter, startPresenceWriter} from './domain/presence.ts';
import type {Nouns} from './nouns.ts';
import type {Database} from './store/db.ts';
import {startAgentReports} from './workers/agent-reports.ts';
import {startBuildJobs} from './workers/build-jobs.ts';
import {startCommandSender} from './workers/commands.ts';
import {createCommitReport, createConfirmReport} from './workers/commit-report.ts';
import {startImageTestJobs} from './workers/image-test-jobs.ts';
import {startMetricsWorker} from './workers/metrics.ts';
import {startValidationJobs} from './workers/validation-jobs.ts';

export type BusWorkersDeps = {
  readonly bus: NatsLink;
  readonly sql: Database;
  readonly nouns: Nouns;
  readonly newId: () => string;
  readonly rebootWhenReady: boolean;
  readonly registry: Registry;
  readonly log: Logger;
};

/** Everything that lives on the bus: what agents report, what they are told, the queue of builders. */
export function startBusWorkers(deps: BusWorkersDeps): AsyncDisposable {
  const {bus, sql, log} = deps;
  const stack = new AsyncDisposableStack();
  const presence = stack.use(startPresenceWriter({sql, log}));
  const reports = new Counter({
    name: 'muster_agent_reports_total',
    help: 'Reports of agents by kind and what became of them',
    labelNames: ['outcome', 'kind'],
    registers: [deps.registry],
  });
  const count = (outcome: string, kind: string) => reports.inc({outcome, kind});
  const workers = stack.use(
    followConnections(connection => startAll(deps, connection, {presence, count}), log),
  );
  bus.onConnected(workers.attach);
  return {[Symbol.asyncDispose]: () => stack.disposeAsync()};
}

/** Whether this server hears agents, and since when. */
export function busStatusOf(bus: NatsLink, now: () => Date): () => BusStatus {
  let status: BusStatus = {connected: false, since: now()};
  return () => {
    const connected = bus.connection() !== undefined;
    if (connected !== status.connected) status = {connected, since: now()};
    return status;
  };
}

async function startAll(
  {sql, nouns, newId, rebootWhenReady, log}: BusWorkersDeps,
  nats: NatsConnection,
  {presence, count}: {presence: PresenceWriter; count: (outcome: string, kind: string) => void},
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const {hellos, hardware, commands, metrics, upkeep, validations} = nouns;
  const {imageTestWork: work, imageGates: gates} = nouns;
  const commit = createCommitReport({sql, hellos, hardware, commands, rules: nouns.application});
  const confirm = createConfirmReport(hardware);
  const reports = {jetstream: jetstream(nats), commit, confirm, presence, count};
  stack.use(startAgentReports({nats, ...reports, log}));
  stack.use(startCommandSender({nats, commands, rebootWhenReady, log}));
  stack.use(await startMetricsWorker({nats, metrics, presence, newId, count, log}));
  stack.use(await startBuildJobs({sql, nats, upkeep, log}));
  stack.use(await startValidationJobs({sql, nats, validations, log}));
  stack.use(await startImageTestJobs({sql, nats, work, gates, log}));
  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** Workers outlive a reconnect of their connection, not its end. */
function followConnections(
  start: (connection: NatsConnection) => Promise<AsyncDisposable>,
  log: Logger,
): AsyncDisposable & {readonly attach: (connection: NatsConnection) => void} {
  let attached: NatsConnection | undefined;
  let running: Promise<AsyncDisposable | undefined> = Promise.resolve(undefined);

  const replace = async (
    before: Promise<AsyncDisposable | undefined>,
    connection: NatsConnection | undefined,
  ) => {
    await (await before)?.[Symbol.asyncDispose]();
    if (!connection) return undefined;
    try {
      return await start(connection);
    } catch (error) {
      log.error({err: error}, 'cannot start the workers of this connection');
      // Closed, it is opened anew, and the workers with it.
      await connection.close();
      return undefined;
    }
  };

  return {
    attach(connection) {
      if (connection === attached) return;
      attached = connection;
      running = replace(running, connection);
    },
    async [Symbol.asyncDispose]() {
      await replace(running, undefined);
    },
  };
}
