import process from 'node:process';
import {Counter, Gauge, Registry} from 'prom-client';

/** What a request was about. A closed list: labels must not grow with what strangers send. */
export type RequestKind =
  | 'script_tag'
  | 'script_query'
  | 'bootstrap'
  | 'ask_again'
  | 'artifact'
  | 'token'
  | 'report'
  | 'loader'
  | 'nix_cache_info'
  | 'narinfo'
  | 'nar'
  | 'health'
  | 'refused';

export type TftpOutcome =
  | 'completed'
  | 'aborted'
  | 'timed_out'
  | 'not_found'
  | 'refused'
  | 'malformed';

export type Metrics = ReturnType<typeof createMetrics>;

/** The edge's own counters. Plain numbers on the hot path; Prometheus text is made when somebody asks. */
export function createMetrics() {
  const registry = new Registry();
  const counts = new Map<string, number>();
  const add = (key: string, by = 1) => counts.set(key, (counts.get(key) ?? 0) + by);

  const counter = (name: string, help: string, label?: string) => {
    const metric = new Counter({
      name: `muster_edge_${name}`,
      help,
      ...(label === undefined ? {} : {labelNames: [label]}),
      registers: [registry],
      collect() {
        this.reset();
        for (const [key, count] of counts) {
          const [counted, value] = key.split(' ');
          if (counted !== name) continue;
          if (label === undefined || value === undefined) this.inc(count);
          else this.inc({[label]: value}, count);
        }
      },
    });
    return metric;
  };

  measureProcess(registry);
  counter('requests_total', 'HTTP requests by kind', 'kind');
  counter('unknown_total', 'Boot requests whose keys name no machine');
  counter('ambiguous_total', 'Boot requests whose keys name several machines');
  counter('resolves_total', 'Questions to the server by outcome', 'outcome');
  counter('tokens_minted_total', 'Boot tokens minted');
  counter('neighbour_mismatches_total', 'Token requests whose MAC is not the neighbour of its IP');
  counter('tftp_transfers_total', 'TFTP requests by outcome', 'outcome');
  counter('hops_dropped_total', 'Boot hops that never reached the server');
  counter('artifact_fetches_total', 'Artifacts fetched from the image store by outcome', 'outcome');
  counter('artifact_bytes_total', 'Bytes of artifacts sent to machines');
  counter('store_path_lookups_total', 'Store paths looked up by outcome', 'outcome');
  counter('nar_bytes_total', 'Bytes of store paths sent to machines');
  counter('connections_refused_total', 'HTTP connections over a limit');
  counter('failures_reported_total', 'Failed steps reported by boot scripts');

  return {
    request: (kind: RequestKind) => add(`requests_total ${kind}`),
    unknown: () => add('unknown_total'),
    ambiguous: () => add('ambiguous_total'),
    resolve: (outcome: 'answered' | 'failed' | 'overflow') => add(`resolves_total ${outcome}`),
    tokenMinted: () => add('tokens_minted_total'),
    neighbourMismatch: () => add('neighbour_mismatches_total'),
    tftp: (outcome: TftpOutcome) => add(`tftp_transfers_total ${outcome}`),
    hopsDropped(count: number): void {
      add('hops_dropped_total', count);
    },
    artifactFetch: (outcome: 'fetched' | 'failed' | 'lost') =>
      add(`artifact_fetches_total ${outcome}`),
    artifactBytes: (count: number) => add('artifact_bytes_total', count),
    storePathLookup: (outcome: 'remembered' | 'answered' | 'failed' | 'overflow') =>
      add(`store_path_lookups_total ${outcome}`),
    narBytes: (count: number) => add('nar_bytes_total', count),
    connectionRefused: () => add('connections_refused_total'),
    failureReported: () => add('failures_reported_total'),

    /** A value read when somebody asks. */
    gauge(name: string, help: string, read: () => number) {
      return new Gauge({
        name: `muster_edge_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

/** Not prom-client's whole set: that watches every turn of the event loop, which is the edge's hot path. */
function measureProcess(registry: Registry): void {
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time of this process',
    registers: [registry],
    collect() {
      const {user, system} = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  }).reset();
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of this process',
    registers: [registry],
    collect() {
      this.set(process.memoryUsage.rss());
    },
  }).reset();
  new Gauge({
    name: 'process_start_time_seconds',
    help: 'When this process was started',
    registers: [registry],
  }).set(Date.now() / 1000 - process.uptime());
}
