import {readdirSync, readFileSync, statfsSync} from 'node:fs';
import {join} from 'node:path';
import type {MetricsJson} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {compact} from './json.ts';

/** Sensors come and go with modules; looking for them costs more than reading them. */
const samplesPerSensorSearch = 360;
const sensorCountMax = 64;
const fileSystemCountMax = 64;
/** Drivers of hwmon that measure processors and boards. Not disks: reading "drivetemp" wakes a sleeping disk. */
const thermalDrivers = new Set(['coretemp', 'k10temp', 'zenpower', 'cpu_thermal', 'acpitz']);
const plausibleCelsius = {from: -50, to: 150} as const;

/**
 * Takes samples of one machine from /proc and /sys, synchronously: the files are in memory, and a sample has to cost less
 * than 1 ms of CPU (DESIGN §9). What cannot be read is absent.
 */
export function createSampler(root: string, now: () => Date = () => new Date()) {
  const read = (path: string): string => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return '';
    }
  };
  let cpuBefore: CpuTimes | undefined;
  let sensors: readonly string[] = [];
  let sampleCount = 0;

  return {
    sample(): MetricsJson {
      if (sampleCount++ % samplesPerSensorSearch === 0) sensors = findSensors(root, read);
      const cpu = parseCpuTimes(read('/proc/stat'));
      const usage = cpu && cpuBefore && cpuUsagePercent(cpuBefore, cpu);
      cpuBefore = cpu;
      return compact<MetricsJson>({
        time: now().toISOString(),
        cpuUsagePercent: usage,
        ...parseMemory(read('/proc/meminfo')),
        ...diskUsage(root, read('/proc/self/mounts')),
        ...parseNetwork(read('/proc/net/dev')),
        ...parseLoad(read('/proc/loadavg')),
        temperature: hottest(sensors.map(read)),
        powerState: 'on',
        uptime: parseNumber(read('/proc/uptime').split(' ')[0]),
      });
    },
  };
}

export type CpuTimes = {readonly total: number; readonly idle: number};

/** The first line of /proc/stat (proc_stat(5)). Guest time is part of user time. */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const line = /^cpu +([\d ]+)/.exec(text)?.[1];
  if (line === undefined) return undefined;
  const times = line.trim().split(' ').slice(0, 8).map(Number);
  const [, , , idle = 0, ioWait = 0] = times;
  return {total: times.reduce((sum, time) => sum + time, 0), idle: idle + ioWait};
}

/** 0 to 100; undefined when no time has passed. The kernel's I/O wait can run backwards. */
export function cpuUsagePercent(before: CpuTimes, after: CpuTimes): number | undefined {
  const total = after.total - before.total;
  if (total <= 0) return undefined;
  const busy = total - Math.max(0, after.idle - before.idle);
  return Math.round(Math.min(100, Math.max(0, (busy / total) * 100)) * 10) / 10;
}

const memoryTotal = /^MemTotal: +(\d+) kB/m;
const memoryAvailable = /^MemAvailable: +(\d+) kB/m;

function parseMemory(text: string): MetricsJson {
  const bytes = (pattern: RegExp) => {
    const kibibytes = pattern.exec(text)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  const total = bytes(memoryTotal);
  const available = bytes(memoryAvailable);
  if (total === undefined) return {};
  return compact<MetricsJson>({
    memoryTotalBytes: String(total),
    memoryUsedBytes: available === undefined ? undefined : String(Math.max(0, total - available)),
  });
}

/** File systems on block devices, each device once. Loops are left out: they are read-only images, always full. */
function diskUsage(root: string, mounts: string): MetricsJson {
  const points = new Map<string, string>();
  for (const line of mounts.split('\n')) {
    const [device = '', point = ''] = line.split(' ');
    if (!device.startsWith('/dev/') || /^\/dev\/(loop|ram|zram)/.test(device)) continue;
    if (!points.has(device) && points.size < fileSystemCountMax) points.set(device, point);
  }
  let total = 0;
  let used = 0;
  for (const point of points.values()) {
    try {
      // The kernel writes blanks in mount points as \040 (proc_mounts(5)).
      const path = point.replaceAll('\\040', ' ');
      const {blocks, bfree, bsize} = statfsSync(join(root, path));
      total += blocks * bsize;
      used += (blocks - bfree) * bsize;
    } catch {
      // Unmounted since the list was read: it counts no more.
      continue;
    }
  }
  return total > 0 ? {diskTotalBytes: String(total), diskUsedBytes: String(used)} : {};
}

/** /proc/net/dev: name, then received bytes first and sent bytes ninth. */
export function parseNetwork(text: string): MetricsJson {
  let received = 0;
  let sent = 0;
  let found = false;
  for (const line of text.split('\n').slice(2)) {
    const cut = line.indexOf(':');
    if (cut < 0 || line.slice(0, cut).trim() === 'lo') continue;
    const fields = line
      .slice(cut + 1)
      .trim()
      .split(/ +/);
    received += Number(fields[0] ?? 0) || 0;
    sent += Number(fields[8] ?? 0) || 0;
    found = true;
  }
  return found ? {networkRxBytes: String(received), networkTxBytes: String(sent)} : {};
}

function parseLoad(text: string): MetricsJson {
  const [one, five, fifteen] = text.split(' ').map(parseNumber);
  return compact<MetricsJson>({loadAverage1: one, loadAverage5: five, loadAverage15: fifteen});
}

function findSensors(root: string, read: (path: string) => string): readonly string[] {
  const list = (path: string) => {
    try {
      return readdirSync(join(root, path));
    } catch {
      return [];
    }
  };
  const hwmon = list('/sys/class/hwmon').flatMap(name => {
    const at = `/sys/class/hwmon/${name}`;
    if (!thermalDrivers.has(read(`${at}/name`).trim())) return [];
    return list(at)
      .filter(file => /^temp\d+_input$/.test(file))
      .map(file => `${at}/${file}`);
  });
  const zones = list('/sys/class/thermal')
    .filter(name => name.startsWith('thermal_zone'))
    .map(name => `/sys/class/thermal/${name}/temp`);
  return [...hwmon, ...zones].slice(0, sensorCountMax);
}

/** Degrees Celsius, from the kernel's thousandths; sensors that are not connected give impossible values. */
function hottest(readings: readonly string[]): number | undefined {
  const degrees = readings
    .flatMap(text => parseNumber(text.trim()) ?? [])
    .map(thousandths => thousandths / 1000)
    .filter(value => value > plausibleCelsius.from && value < plausibleCelsius.to);
  return degrees.length === 0 ? undefined : Math.max(...degrees);
}

function parseNumber(text: string | undefined): number | undefined {
  const number = Number(text);
  return text === undefined || text.trim() === '' || !Number.isFinite(number) ? undefined : number;
}
