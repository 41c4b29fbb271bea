import {MetricsSchema} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {Command} from 'commander';
import {contextOf, machineIdOf} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {age, bytes} from '../output.ts';

/** `muster metrics …` */
export function addMetricsCommands(program: Command): void {
  const metrics = program.command('metrics').description('what the machines measure');
  metrics
    .command('latest <machine>')
    .description('the last sample of a machine')
    .addHelpText('after', '\nExample: muster metrics latest ABC1234 --json | jq .cpuUsagePercent')
    .action(latest);
}

async function latest(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const machineId = await machineIdOf(context, name);
  const {metrics} = await context.clients.metrics.getLatestMetrics({machineId});
  if (!metrics)
    throw new CommandError(`Machine "${name}" has sent no metrics yet`, exitStatus.notFound);
  const {out} = context;
  if (out.json) return out.document(MetricsSchema, metrics);
  out.record({
    sampled: metrics.time ? `${age(metrics.time)} ago` : '',
    cpu: number(metrics.cpuUsagePercent, '%'),
    memory: part(metrics.memoryUsedBytes, metrics.memoryTotalBytes),
    disk: part(metrics.diskUsedBytes, metrics.diskTotalBytes),
    received: bytes(metrics.networkRxBytes),
    sent: bytes(metrics.networkTxBytes),
    load: [metrics.loadAverage1, metrics.loadAverage5, metrics.loadAverage15]
      .map(value => value?.toFixed(2) ?? '-')
      .join(' '),
    temperature: number(metrics.temperature, '°C'),
    uptime: number(metrics.uptime, 's'),
  });
}

const number = (value: number | undefined, unit: string): string =>
  value === undefined ? '' : `${value.toFixed(1)} ${unit}`;

const part = (used: bigint | undefined, total: bigint | undefined): string =>
  used === undefined ? '' : `${bytes(used)} of ${bytes(total) || '?'}`;
