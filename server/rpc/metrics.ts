import type {ServiceImpl} from '@connectrpc/connect';
import type {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {MetricsStore} from '../domain/metrics.ts';
import {DomainError} from '../errors.ts';
import {fromMetricsMessage, toMetricsMessage} from './metrics-messages.ts';

export const metricsService = (metrics: MetricsStore): ServiceImpl<typeof MetricsService> => ({
  async submitMetrics(request) {
    if (!request.metrics)
      throw new DomainError('invalid_argument', 'Cannot store metrics: the request has none');
    const sample = fromMetricsMessage(request.metrics);
    const stored = await metrics.submit(request.machineId.toLowerCase(), sample);
    return {metrics: toMetricsMessage(stored)};
  },

  async getLatestMetrics({machineId}) {
    return {metrics: toMetricsMessage(await metrics.latest(machineId.toLowerCase()))};
  },

  async listMetrics({machineId, since, limit}) {
    const samples = await metrics.list(machineId.toLowerCase(), since, limit);
    return {metrics: samples.map(toMetricsMessage)};
  },
});
