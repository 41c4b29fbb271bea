import {collectDefaultMetrics, Counter, Gauge, Registry} from 'prom-client';
import type {JobObserver} from './job-slots.ts';

export type BuilderMetrics = ReturnType<typeof createBuilderMetrics>;

/** What `/metrics` of the builder tells: its process, its jobs, its connections. */
export function createBuilderMetrics(isConnected: () => {server: boolean; nats: boolean}) {
  const registry = new Registry();
  collectDefaultMetrics({register: registry});
  const registers = [registry];
  const running = new Gauge({
    name: 'muster_builder_jobs_running',
    help: 'Jobs under way by kind',
    labelNames: ['kind'],
    registers,
  });
  const ended = new Counter({
    name: 'muster_builder_jobs_total',
    help: 'Jobs by kind and what became of them: done (also when the build failed), or requeued',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  new Gauge({
    name: 'muster_builder_connected',
    help: 'Whether the builder reaches the server and NATS',
    labelNames: ['peer'],
    registers,
    collect() {
      const {server, nats} = isConnected();
      this.set({peer: 'server'}, Number(server));
      this.set({peer: 'nats'}, Number(nats));
    },
  }).reset();
  for (const kind of ['build', 'validation', 'image-test']) {
    running.set({kind}, 0);
    for (const outcome of ['done', 'requeued']) ended.inc({kind, outcome}, 0);
  }

  const observer: JobObserver = {
    started: kind => running.inc({kind}),
    ended(kind, outcome) {
      running.dec({kind});
      ended.inc({kind, outcome});
    },
  };
  return {observer, contentType: registry.contentType, text: () => registry.metrics()};
}
