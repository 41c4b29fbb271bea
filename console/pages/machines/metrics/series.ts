import {timestampMs} from '@bufbuild/protobuf/wkt';
import type {Metrics} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {formatBytes} from '../../../ui/format.ts';

export type Series = {readonly label: string; readonly values: readonly (number | null)[]};
export type ChartData = {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly series: readonly Series[];
  readonly max?: number;
};

type Read = (metrics: Metrics) => number | bigint | undefined;

/** Seconds, as uPlot wants them. */
export const timesOf = (metrics: readonly Metrics[]): readonly number[] =>
  metrics.map(({time}) => (time ? timestampMs(time) / 1000 : 0));

const line = (label: string, metrics: readonly Metrics[], read: Read): Series => ({
  label,
  // What could not be read is absent, never zero: the line has a gap there.
  values: metrics.map(sample => toNumber(read(sample))),
});

const toNumber = (value: number | bigint | undefined): number | null =>
  value === undefined ? null : Number(value);

const share = (part: bigint | undefined, whole: bigint | undefined): number | undefined =>
  part !== undefined && whole !== undefined && whole > 0n
    ? (100 * Number(part)) / Number(whole)
    : undefined;

/** Counters since boot as a rate per second; a counter that went back has been a reboot. */
export function rateOf(label: string, metrics: readonly Metrics[], read: Read): Series {
  const times = timesOf(metrics);
  const counters = metrics.map(sample => toNumber(read(sample)));
  return {
    label,
    values: counters.map((value, index) => {
      const before = counters[index - 1];
      const seconds = (times[index] ?? 0) - (times[index - 1] ?? 0);
      if (value === null || before === undefined || before === null) return null;
      return seconds > 0 && value >= before ? (value - before) / seconds : null;
    }),
  };
}

const percent = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} %`;
const rate = (value: number): string => `${formatBytes(value)}/s`;

/** One chart for each thing that one asks about a machine; those without any value are left out. */
export function chartsOf(metrics: readonly Metrics[]): readonly ChartData[] {
  const charts: readonly ChartData[] = [
    {
      title: 'CPU',
      format: percent,
      max: 100,
      series: [line('used', metrics, sample => sample.cpuUsagePercent)],
    },
    {
      title: 'Memory and disks',
      format: percent,
      max: 100,
      series: [
        line('memory', metrics, ({memoryUsedBytes, memoryTotalBytes}) =>
          share(memoryUsedBytes, memoryTotalBytes),
        ),
        line('disks', metrics, ({diskUsedBytes, diskTotalBytes}) =>
          share(diskUsedBytes, diskTotalBytes),
        ),
      ],
    },
    {
      title: 'Network',
      format: rate,
      series: [
        rateOf('received', metrics, sample => sample.networkRxBytes),
        rateOf('sent', metrics, sample => sample.networkTxBytes),
      ],
    },
    {
      title: 'Load',
      format: value => value.toFixed(2),
      series: [
        line('1 min', metrics, sample => sample.loadAverage1),
        line('15 min', metrics, sample => sample.loadAverage15),
      ],
    },
    {
      title: 'Hottest sensor',
      format: value => `${value.toFixed(0)} °C`,
      series: [line('temperature', metrics, sample => sample.temperature)],
    },
    {
      title: 'Power',
      format: value => `${value.toFixed(0)} W`,
      series: [line('drawn', metrics, sample => sample.powerWatts)],
    },
  ];
  return charts.filter(({series}) =>
    series.some(({values}) => values.some(value => value !== null)),
  );
}
