import {readdirSync, readFileSync, statfsSync} from 'node:fs';
import {join} from 'node:path';
import type {
  Metrics_AgentHealthJson,
  Metrics_FileSystemJson,
  MetricsJson,
} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {deviceCountMax, parseDisks, parseInterfaces} from './device-metrics.ts';
import {compact} from './json.ts';
import {
  createFanReader,
  createPowerMeter,
  findFans,
  findSensors,
  readSensors,
  type Sensor,
} from './sensors.ts';

/** Sensors come and go with modules; looking for them costs more than reading them. */
const samplesPerSensorSearch = 360;
/** What devices measure goes with every sixth sample, once a minute: it is ten times as long as the rest. */
export const samplesPerDeviceReading = 6;
const fileSystemCountMax = 64;

/**
 * Takes samples of one machine from /proc and /sys, synchronously: the files are in memory, and a sample has to cost less
 * than 1 ms of CPU (DESIGN §9). What cannot be read is absent.
 */
export function createSampler(
  root: string,
  now: () => Date = () => new Date(),
  readHealth: () => Metrics_AgentHealthJson | undefined = () => undefined,
) {
  const read = (path: string): string => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return '';
    }
  };
  const list = (path: string): readonly string[] => {
    try {
      return readdirSync(join(root, path));
    } catch {
      return [];
    }
  };
  const power = createPowerMeter(list, read);
  let cpuBefore: CpuTimes | undefined;
  const readFans = createFanReader(read);
  let sensors: readonly Sensor[] = [];
  let fans: readonly Sensor[] = [];
  let sampleCount = 0;

  return {
    sample(): MetricsJson {
      const withDevices = sampleCount % samplesPerDeviceReading === 0;
      if (sampleCount++ % samplesPerSensorSearch === 0) {
        sensors = findSensors(list, read);
        fans = findFans(list, read);
      }
      const cpu = parseCpuTimes(read('/proc/stat'));
      const usage = cpu && cpuBefore && cpuUsagePercent(cpuBefore, cpu);
      cpuBefore = cpu;
      const network = read('/proc/net/dev');
      const fileSystems = readFileSystems(root, read('/proc/self/mounts'));
      const temperatures = readSensors(sensors, read);
      return compact<MetricsJson>({
        time: now().toISOString(),
        cpuUsagePercent: usage,
        ...parseMemory(read('/proc/meminfo')),
        ...diskUsage(fileSystems),
        ...parseNetwork(network),
        ...parseLoad(read('/proc/loadavg')),
        temperature: hottest(temperatures.map(({temperature}) => temperature)),
        powerState: 'on',
        uptime: parseNumber(read('/proc/uptime').split(' ')[0]),
        ...(withDevices
          ? {
              powerWatts: power.watts(),
              fileSystems: fileSystems.slice(0, deviceCountMax).map(toFileSystem),
              disks: [...parseDisks(read('/proc/diskstats'))],
              interfaces: [...parseInterfaces(network)],
              sensors: [...temperatures],
              fans: [...readFans(fans)],
              agent: readHealth(),
            }
          : {}),
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

type FileSystem = {
  readonly device: string;
  readonly point: string;
  readonly size: number;
  readonly used: number;
};

/** File systems on block devices, each device once. Loops are left out: they are read-only images, always full. */
function readFileSystems(root: string, mounts: string): readonly FileSystem[] {
  const points = new Map<string, string>();
  for (const line of mounts.split('\n')) {
    const [device = '', point = ''] = line.split(' ');
    if (!device.startsWith('/dev/') || /^\/dev\/(loop|ram|zram)/.test(device)) continue;
    // The kernel writes blanks in mount points as \040 (proc_mounts(5)).
    if (!points.has(device) && points.size < fileSystemCountMax)
      points.set(device, point.replaceAll('\\040', ' '));
  }
  const found: FileSystem[] = [];
  for (const [device, point] of points) {
    try {
      const {blocks, bfree, bsize} = statfsSync(join(root, point));
      found.push({device, point, size: blocks * bsize, used: (blocks - bfree) * bsize});
    } catch {
      // Unmounted since the list was read: it counts no more.
      continue;
    }
  }
  return found;
}

function diskUsage(fileSystems: readonly FileSystem[]): MetricsJson {
  const total = fileSystems.reduce((sum, {size}) => sum + size, 0);
  const used = fileSystems.reduce((sum, own) => sum + own.used, 0);
  return total > 0 ? {diskTotalBytes: String(total), diskUsedBytes: String(used)} : {};
}

const toFileSystem = ({device, point, size, used}: FileSystem): Metrics_FileSystemJson => ({
  device: device.slice(0, 128),
  mountPoint: point.slice(0, 256),
  sizeBytes: String(size),
  usedBytes: String(used),
});

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

const hottest = (degrees: readonly number[]): number | undefined =>
  degrees.length === 0 ? undefined : Math.max(...degrees);

function parseNumber(text: string | undefined): number | undefined {
  const number = Number(text);
  return text === undefined || text.trim() === '' || !Number.isFinite(number) ? undefined : number;
}
