import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import {nanos, type NodeConnectionOptions} from '@nats-io/transport-node';

/** The certificate of every nats-server carries this name, whatever its address (docs/bus.md). */
export const natsServerName = 'nats.muster';

/** Every subject there is. Nobody writes one by hand. */
export const subjects = {
  event: (type: string) => `muster.events.${type}`,
  agentReport: (machineId: string, kind: AgentReportKind) =>
    `muster.reports.agent.${machineId}.${kind}`,
  command: (machineId: string, operation: string) => `muster.commands.${machineId}.${operation}`,
  inbox: (id: string) => `muster.inbox.${id}`,
  buildJob: 'muster.jobs.build',
  validateJob: 'muster.jobs.validate',
  imageTestJob: 'muster.jobs.test',
} as const;

export type AgentReportKind = 'hello' | 'inventory' | 'result' | 'metrics';

const megabyte = 1024 * 1024;
const hourMs = 3_600_000;

type StreamName = 'EVENTS' | 'REPORTS' | 'METRICS' | 'JOBS';

/**
 * The streams. Each has limits in bytes and age, so that a flood of one kind cannot evict another. A stream that captures what an agent
 * may publish is `no_ack`: otherwise its publish acknowledgement goes to any subject that the agent names (docs/bus.md).
 */
export const streams: Readonly<Record<StreamName, Partial<StreamConfig> & {name: StreamName}>> = {
  EVENTS: {
    name: 'EVENTS',
    subjects: ['muster.events.>'],
    max_bytes: 256 * megabyte,
    max_age: nanos(7 * 24 * hourMs),
    duplicate_window: nanos(hourMs / 2),
  },
  REPORTS: {
    name: 'REPORTS',
    subjects: [
      'muster.reports.agent.*.hello',
      'muster.reports.agent.*.inventory',
      'muster.reports.agent.*.result',
    ],
    no_ack: true,
    max_bytes: 256 * megabyte,
    max_age: nanos(24 * hourMs),
    max_msgs_per_subject: 1000,
    discard: DiscardPolicy.Old,
  },
  METRICS: {
    name: 'METRICS',
    subjects: ['muster.reports.agent.*.metrics'],
    no_ack: true,
    max_bytes: 512 * megabyte,
    max_age: nanos(24 * hourMs),
    discard: DiscardPolicy.Old,
  },
  JOBS: {
    name: 'JOBS',
    subjects: ['muster.jobs.>'],
    retention: RetentionPolicy.Workqueue,
    max_bytes: 64 * megabyte,
    max_age: nanos(7 * 24 * hourMs),
  },
};

/** Of JOBS: build jobs, configurations to be evaluated while somebody waits, and tests of images. */
export const buildersDurable = 'builders';
export const validationsDurable = 'validations';
export const imageTestsDurable = 'image-tests';

/** Creates the streams that are missing and brings the others to their configuration. */
export async function ensureStreams(manager: JetStreamManager): Promise<void> {
  for (const stream of Object.values(streams)) {
    const config = {storage: StorageType.File, ...stream};
    const existing = await manager.streams.info(stream.name).catch(() => undefined);
    if (existing) await manager.streams.update(stream.name, config);
    else await manager.streams.add(config);
  }
}

/** How every process reaches NATS: TLS under the site CA with one fixed server name, and never giving up. */
export function busOptions({
  servers,
  siteCa,
  name,
}: {
  servers: readonly string[];
  siteCa: string;
  name: string;
}): NodeConnectionOptions {
  // Passed on to node:tls, which the client's own type does not say.
  const tls = {ca: siteCa, servername: natsServerName};
  return {
    servers: [...servers],
    name,
    tls,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 500,
    reconnectJitterTLS: 500,
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    maxPingOut: 2,
  };
}
