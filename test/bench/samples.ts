import {createHash} from 'node:crypto';
import {toColumns} from '@muster/agent/metrics-columns.ts';
import type {MetricsJson} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {Sample} from '@muster/server/domain/metrics.ts';

/** The same numbers at every run: 0 up to 1. */
export function createRandom(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One sample every ten seconds as an agent of a server of 64 GiB takes them: counters that grow unevenly, load that wanders. */
export function makeSamples(machineId: string, from: Date, count: number): Sample[] {
  const random = createRandom(machineId);
  let [load, memory, received, sent, celsius] = [1, 2 ** 34, 0, 0, 45];
  return Array.from({length: count}, (_, index) => {
    load = Math.max(0, load + (random() - 0.5) / 4);
    memory = Math.max(2 ** 32, memory + Math.round((random() - 0.5) * 2 ** 21) * 4096);
    received += Math.floor(random() * 2 ** 21);
    sent += Math.floor(random() * 2 ** 21);
    celsius = Math.min(80, Math.max(30, celsius + Math.round((random() - 0.5) * 4)));
    const rounded = (value: number) => Math.round(value * 100) / 100;
    return {
      machineId,
      time: new Date(from.getTime() + index * 10_000 + Math.floor(random() * 8)),
      cpuUsagePercent: Math.round(load * 125) / 10,
      memoryUsedBytes: memory,
      memoryTotalBytes: 2 ** 36,
      diskUsedBytes: 2 ** 37 + index * 4096,
      diskTotalBytes: 2 ** 40,
      networkRxBytes: received,
      networkTxBytes: sent,
      load1: rounded(load),
      load5: rounded(load * 0.9),
      load15: rounded(load * 0.8),
      temperature: celsius,
      powerState: 'on',
      uptime: rounded(1000 + index * 10 + random() / 100),
    };
  });
}

/** As its agent reports them: proto-JSON. In rows: as agents did before there were columns, and as they try when these are not confirmed. */
export function toReport(
  samples: readonly Sample[],
  {
    form,
    reportId,
    ...about
  }: {session: string; firstSequence: number; reportId: string; form: Form},
): string {
  const rows = samples.map(toRow);
  const batch = {session: about.session, firstSequence: String(about.firstSequence)};
  const columns = form === 'columns' ? toColumns(rows) : undefined;
  const body = columns
    ? {metricsColumns: {...batch, ...columns}}
    : {metrics: {...batch, samples: rows}};
  return JSON.stringify({reportId, machineId: samples[0]?.machineId, ...body});
}

export type Form = 'rows' | 'columns';

const toRow = (sample: Sample): MetricsJson =>
  Object.fromEntries(
    Object.entries(sample)
      .filter(([name]) => name !== 'machineId')
      .map(([name, value]) => [
        name.replace('load', 'loadAverage'),
        value instanceof Date
          ? value.toISOString()
          : name.endsWith('Bytes')
            ? `${Number(value)}`
            : value,
      ]),
  );
