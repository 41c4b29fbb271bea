import type {Logger, Outages} from '@muster/runtime/log.ts';
import {jetstream} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import type {NatsLink} from './clients/nats.ts';
import {type BusStatus, type PresenceWriter, startPresenceWriter} from './domain/presence.ts';
import type {Inventories} from './inventories.ts';
import type {Nouns} from './nouns.ts';
import type {Database} from './store/db.ts';
import {startAgentReports} from './workers/agent-reports.ts';
import {startBuildJobs} from './workers/build-jobs.ts';
import {startCommandSender} from './workers/commands.ts';
import {createCommitReport} from './workers/commit-report.ts';
import {startImageTestJobs} from './workers/image-test-jobs.ts';
import {startInventoryReceipts} from './workers/inventory-receipts.ts';
import {startMetricsWorker} from './workers/metrics.ts';
import {createReportSettling} from './workers/report-settling.ts';
import {startValidationJobs} from './workers/validation-jobs.ts';

export type BusWorkersDeps = {
  readonly bus: NatsLink;
  readonly sql: Database;
  readonly nouns: Nouns;
  readonly newId: () => string;
  readonly rebootWhenReady: boolean;
  readonly inventories: Inventories;
  readonly log: Logger;
  readonly outages: Outages;
};

/** Everything that lives on the bus: what agents report, what they are told, the queue of builders. */
export function startBusWorkers(deps: BusWorkersDeps): AsyncDisposable {
  const {bus, sql, log} = deps;
  const stack = new AsyncDisposableStack();
  const presence = stack.use(startPresenceWriter({sql, log}));
  const workers = stack.use(
    followConnections(connection => startAll(deps, connection, presence), log),
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
  {sql, nouns, newId, rebootWhenReady, inventories, log, outages}: BusWorkersDeps,
  nats: NatsConnection,
  presence: PresenceWriter,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const {count} = inventories;
  const {hellos, commands, metrics, upkeep, validations} = nouns;
  const {imageTestWork: work, imageGates: gates} = nouns;
  const settling = createReportSettling({nats, presence, count, log});
  const receipts = stack.use(startInventoryReceipts({...inventories, settling, log}));
  const commit = createCommitReport({sql, hellos, commands});
  const reports = {jetstream: jetstream(nats), commit, inventories: receipts, settling};
  stack.use(startAgentReports({nats, ...reports, outages}));
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
