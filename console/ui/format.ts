import {type Timestamp, timestampDate} from '@bufbuild/protobuf/wkt';

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Memory and files: 1024, as the filter language counts. */
export function formatBytes(bytes: bigint | number): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Disks are sold by 1000. */
export function formatDiskBytes(bytes: bigint | number): string {
  const terabytes = Number(bytes) / 1e12;
  return terabytes >= 1
    ? `${terabytes.toFixed(terabytes >= 10 ? 0 : 1)} TB`
    : `${Math.round(Number(bytes) / 1e9)} GB`;
}

/** "840 ms", "4.2 s", "3 min 05 s", "2 h 10 min", "5 d 3 h" */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  const seconds = durationMs / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

const counts = new Intl.NumberFormat('en');
export const formatCount = (count: bigint | number): string => counts.format(count);

/** Of a list that the server counts: it stops there. */
const countedMax = 10_000;
export const formatCounted = (count: number): string =>
  count >= countedMax ? `${formatCount(countedMax)}+` : formatCount(count);

/** A count that the server may have estimated. */
export const formatTotal = (count: bigint | number, isEstimated = false): string =>
  `${isEstimated ? 'about ' : ''}${formatCount(count)}`;

export const plural = (count: bigint | number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${Number(count) === 1 ? one : many}`;

const steps: readonly (readonly [
  limitS: number,
  divisorS: number,
  unit: Intl.RelativeTimeFormatUnit,
])[] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [86_400 * 30, 86_400, 'day'],
  [86_400 * 365, 86_400 * 30, 'month'],
  [Infinity, 86_400 * 365, 'year'],
];
const relative = new Intl.RelativeTimeFormat('en', {numeric: 'always', style: 'short'});

/** "12 sec. ago", "in 3 min." */
export function formatRelative(time: Date, now: Date): string {
  const seconds = (time.getTime() - now.getTime()) / 1000;
  if (Math.abs(seconds) < 5) return 'just now';
  const [, divisor, unit] = steps.find(([limit]) => Math.abs(seconds) < limit) ?? [0, 1, 'second'];
  return relative.format(Math.trunc(seconds / divisor), unit);
}

const exact = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'medium'});

/** With the time zone of the browser: people of several sites compare such times. */
export const formatExact = (time: Date): string =>
  `${exact.format(time)} (${time.toISOString().replace(/\.\d+Z$/, 'Z')})`;

export const dateOf = (time: Timestamp | undefined): Date | undefined =>
  time === undefined ? undefined : timestampDate(time);
