import {
  ListMetricsRequest_Aggregation as Aggregation,
  type Metrics,
  MetricsSchema,
} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {type Command, Option} from 'commander';
import {type Context, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {age, bytes, clock, type Column} from '../output.ts';

/** `muster metrics …` */
export function addMetricsCommands(program: Command): void {
  const metrics = program.command('metrics').description('what the machines measure');
  metrics
    .command('latest <machine>')
    .description('the last sample of a machine')
    .addHelpText('after', '\nExample: muster metrics latest ABC1234 --json | jq .cpuUsagePercent')
    .action(latest);
  metrics
    .command('devices <machine>')
    .description('what each file system, disk, interface and sensor of a machine measured last')
    .addHelpText('after', '\nExample: muster metrics devices ABC1234')
    .action(devices);
  metrics
    .command('history <machine>')
    .description('what a machine measured, newest first: samples, or aggregates of a step of time')
    .option('--since <when>', 'a duration back from now ("90m", "7d") or a time', '24h')
    .option('--until <when>', 'the same; now when it is left out', '')
    .option('--step <duration>', 'one line for each of these ("5m", "1h")', '')
    .addOption(
      new Option('--aggregation <how>', 'of the samples of a step')
        .choices(Object.keys(aggregations))
        .default('average'),
    )
    .option('--limit <count>', 'lines at most', parseLimit, 100)
    .addHelpText(
      'after',
      `
Whole minutes are kept longer than samples, and whole hours longer than minutes (docs/metrics.md).

Example: muster metrics history ABC1234 --since 1h
  muster metrics history ABC1234 --since 30d --step 1d --aggregation max
  muster metrics history ABC1234 --since 2026-05-01T00:00:00Z --until 2026-05-02T00:00:00Z --step 1h --json`,
    )
    .action(history);
}

const aggregations: Readonly<Record<string, Aggregation>> = {
  average: Aggregation.AVERAGE,
  min: Aggregation.MIN,
  max: Aggregation.MAX,
};

type HistoryOptions = {
  readonly since: string;
  readonly until: string;
  readonly step: string;
  readonly aggregation: string;
  readonly limit: number;
};

async function history(name: string, options: HistoryOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const machineId = await machineIdOf(context, name);
  const {metrics} = await context.clients.metrics.listMetrics({
    ...options,
    machineId,
    limit: Math.min(options.limit, samplesMax),
    aggregation: aggregations[options.aggregation] ?? Aggregation.AVERAGE,
  });
  const {out} = context;
  out.list(MetricsSchema, options.step === '' ? columns : [...columns, samples], metrics);
}

/** As muster.v1.ListMetricsRequest allows. */
const samplesMax = 10_000;

const columns: readonly Column<Metrics>[] = [
  {title: 'TIME', value: ({time}) => clock(time)},
  {title: 'CPU', value: ({cpuUsagePercent}) => number(cpuUsagePercent, '%')},
  {title: 'LOAD', value: ({loadAverage1}) => loadAverage1?.toFixed(2) ?? ''},
  {title: 'MEMORY', value: ({memoryUsedBytes}) => bytes(memoryUsedBytes)},
  {title: 'DISK', value: ({diskUsedBytes}) => bytes(diskUsedBytes)},
  {title: 'RECEIVED', value: ({networkRxBytes}) => bytes(networkRxBytes)},
  {title: 'SENT', value: ({networkTxBytes}) => bytes(networkTxBytes)},
  {title: 'TEMPERATURE', value: ({temperature}) => number(temperature, '°C')},
  {title: 'POWER', value: ({powerWatts}) => number(powerWatts, 'W')},
];
const samples: Column<Metrics> = {
  title: 'SAMPLES',
  value: ({sampleCount}) => String(sampleCount ?? ''),
};

type DeviceRow = {readonly kind: string; readonly name: string; readonly values: string};

async function devices(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const metrics = await latestOf(context, name);
  const {out} = context;
  if (out.json) return out.document(MetricsSchema, metrics);
  out.table(
    [
      {title: 'KIND', value: ({kind}: DeviceRow) => kind},
      {title: 'NAME', value: (row: DeviceRow) => row.name},
      {title: 'MEASURED', value: ({values}: DeviceRow) => values},
    ],
    deviceRows(metrics),
  );
}

function deviceRows({fileSystems, disks, interfaces, sensors, agent}: Metrics): DeviceRow[] {
  return [
    ...fileSystems.map(({device, mountPoint, usedBytes, sizeBytes}) => ({
      kind: 'file system',
      name: `${device} on ${mountPoint}`,
      values: part(usedBytes, sizeBytes),
    })),
    ...disks.map(disk => ({
      kind: 'disk',
      name: disk.name,
      values: `${bytes(disk.readBytes)} read, ${bytes(disk.writtenBytes)} written, busy ${number(disk.busySeconds, 's')}`,
    })),
    ...interfaces.map(own => ({
      kind: 'interface',
      name: own.name,
      values: `${bytes(own.rxBytes)} received (${own.rxErrors ?? 0} errors), ${bytes(own.txBytes)} sent (${own.txErrors ?? 0} errors)`,
    })),
    ...sensors.map(sensor => ({
      kind: 'sensor',
      name: sensor.name,
      values: number(sensor.temperature, '°C'),
    })),
    ...(agent
      ? [
          {
            kind: 'agent',
            name: '',
            values: `${bytes(agent.residentBytes)} memory, ${number(agent.cpuSeconds, 's')} CPU, ${agent.samplesWaiting ?? 0} samples waiting, ${agent.samplesDropped ?? 0} dropped`,
          },
        ]
      : []),
  ];
}

async function latestOf(context: Context, name: string): Promise<Metrics> {
  const machineId = await machineIdOf(context, name);
  const {metrics} = await context.clients.metrics.getLatestMetrics({machineId});
  if (!metrics)
    throw new CommandError(`Machine "${name}" has sent no metrics yet`, exitStatus.notFound);
  return metrics;
}

async function latest(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const metrics = await latestOf(context, name);
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
    power: number(metrics.powerWatts, 'W'),
    uptime: number(metrics.uptime, 's'),
  });
}

const number = (value: number | undefined, unit: string): string =>
  value === undefined ? '' : `${value.toFixed(1)} ${unit}`;

const part = (used: bigint | undefined, total: bigint | undefined): string =>
  used === undefined ? '' : `${bytes(used)} of ${bytes(total) || '?'}`;
