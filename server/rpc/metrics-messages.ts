import {create} from '@bufbuild/protobuf';
import {timestampDate, timestampFromDate} from '@bufbuild/protobuf/wkt';
import {type Metrics, MetricsSchema} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {Measurements, Sample} from '../domain/metrics.ts';
import {devicesInit, devicesOf} from './device-metrics.ts';

export function toMetricsMessage(sample: Sample & {readonly sampleCount?: number}): Metrics {
  const {time, load1, load5, load15, powerState, cpuUsagePercent, temperature, uptime} = sample;
  const init = {
    time: timestampFromDate(time),
    cpuUsagePercent,
    memoryUsedBytes: toBigInt(sample.memoryUsedBytes),
    memoryTotalBytes: toBigInt(sample.memoryTotalBytes),
    diskUsedBytes: toBigInt(sample.diskUsedBytes),
    diskTotalBytes: toBigInt(sample.diskTotalBytes),
    networkRxBytes: toBigInt(sample.networkRxBytes),
    networkTxBytes: toBigInt(sample.networkTxBytes),
    loadAverage1: load1,
    loadAverage5: load5,
    loadAverage15: load15,
    temperature,
    powerState,
    uptime,
    ...devicesInit(sample.devices),
    sampleCount: sample.sampleCount,
  };
  const known = Object.entries(init).filter(([, value]) => value !== undefined);
  return create(MetricsSchema, Object.fromEntries(known));
}

export function fromMetricsMessage(
  metrics: Metrics,
): Measurements & {readonly time: Date | undefined} {
  return {
    time: metrics.time ? timestampDate(metrics.time) : undefined,
    cpuUsagePercent: metrics.cpuUsagePercent,
    memoryUsedBytes: toCount(metrics.memoryUsedBytes),
    memoryTotalBytes: toCount(metrics.memoryTotalBytes),
    diskUsedBytes: toCount(metrics.diskUsedBytes),
    diskTotalBytes: toCount(metrics.diskTotalBytes),
    networkRxBytes: toCount(metrics.networkRxBytes),
    networkTxBytes: toCount(metrics.networkTxBytes),
    load1: metrics.loadAverage1,
    load5: metrics.loadAverage5,
    load15: metrics.loadAverage15,
    temperature: metrics.temperature,
    // PostgreSQL has no text with a zero character.
    powerState: metrics.powerState?.replaceAll('\0', '\uFFFD'),
    uptime: metrics.uptime,
    devices: devicesOf(metrics),
  };
}

const toBigInt = (count: number | undefined) =>
  count === undefined ? undefined : BigInt(Math.round(count));

/** No machine has 8 PiB in one of these: such a number is a misreading, and what cannot be read is absent. */
function toCount(count: bigint | undefined): number | undefined {
  return count !== undefined && count <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(count)
    : undefined;
}
