import type {ServiceImpl} from '@connectrpc/connect';
import {
  ListMetricsRequest_Aggregation,
  type MetricsService,
} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {Aggregation} from '../domain/metrics-buckets.ts';
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

  async listMetrics({machineId, aggregation, ...query}) {
    const samples = await metrics.list({
      ...query,
      machineId: machineId.toLowerCase(),
      aggregation: aggregationOf(aggregation),
    });
    return {metrics: samples.map(toMetricsMessage)};
  },
});

function aggregationOf(aggregation: ListMetricsRequest_Aggregation): Aggregation {
  if (aggregation === ListMetricsRequest_Aggregation.MIN) return 'min';
  return aggregation === ListMetricsRequest_Aggregation.MAX ? 'max' : 'average';
}
