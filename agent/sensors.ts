import {deviceCountMax} from './device-metrics.ts';
import {monotonicMs} from './monotonic.ts';

type Read = (path: string) => string;
type List = (path: string) => readonly string[];

export type Sensor = {readonly name: string; readonly path: string};
export type SensorReading = {readonly name: string; readonly temperature: number};

/** Drivers of hwmon that measure processors and boards. Not disks: reading "drivetemp" wakes a sleeping disk. */
const thermalDrivers = new Set(['coretemp', 'k10temp', 'zenpower', 'cpu_thermal', 'acpitz']);
const plausibleCelsius = {from: -50, to: 150} as const;
const nameLengthMax = 64;

/** Those of processors and boards, by the names that the kernel has for them. */
export function findSensors(list: List, read: Read): readonly Sensor[] {
  const hwmon = list('/sys/class/hwmon').flatMap(device => {
    const at = `/sys/class/hwmon/${device}`;
    const driver = read(`${at}/name`).trim();
    if (!thermalDrivers.has(driver)) return [];
    return list(at)
      .filter(file => /^temp\d+_input$/.test(file))
      .map(file => {
        const label = read(`${at}/${file.replace('_input', '_label')}`).trim();
        return {path: `${at}/${file}`, name: `${driver} ${label || file.replace('_input', '')}`};
      });
  });
  const zones = list('/sys/class/thermal')
    .filter(name => name.startsWith('thermal_zone'))
    .map(name => {
      const at = `/sys/class/thermal/${name}`;
      return {path: `${at}/temp`, name: `${read(`${at}/type`).trim()} ${name}`.trim()};
    });
  return withOwnNames([...hwmon, ...zones].slice(0, deviceCountMax));
}

/** Boards of two sockets have two sensors "coretemp Core 0". */
function withOwnNames(sensors: readonly Sensor[]): readonly Sensor[] {
  const seen = new Map<string, number>();
  return sensors.map(({name, path}) => {
    const short = name.slice(0, nameLengthMax - 4);
    const number = (seen.get(short) ?? 0) + 1;
    seen.set(short, number);
    return {path, name: number === 1 ? short : `${short} #${number}`};
  });
}

/** Degrees Celsius, from the kernel's thousandths; sensors that are not connected give impossible values. */
export function readSensors(sensors: readonly Sensor[], read: Read): readonly SensorReading[] {
  return sensors.flatMap(({name, path}) => {
    const text = read(path).trim();
    const temperature = Number(text) / 1000;
    const isPlausible =
      text !== '' && temperature > plausibleCelsius.from && temperature < plausibleCelsius.to;
    return isPlausible ? [{name, temperature}] : [];
  });
}

export type FanReading = {readonly name: string; readonly rpm: number};

/** Fans of cards and power supplies that stop by themselves while nothing is to be cooled. */
const idlingDrivers = /^(amdgpu|radeon|nouveau|i915|xe|corsairpsu)$/;
const rpmMax = 50_000;

/** Those of the board, by the names that the kernel has for them. */
export function findFans(list: List, read: Read): readonly Sensor[] {
  const fans = list('/sys/class/hwmon').flatMap(device => {
    const at = `/sys/class/hwmon/${device}`;
    const driver = read(`${at}/name`).trim();
    if (idlingDrivers.test(driver)) return [];
    return list(at)
      .filter(file => /^fan\d+_input$/.test(file))
      .map(file => {
        const label = read(`${at}/${file.replace('_input', '_label')}`).trim();
        return {path: `${at}/${file}`, name: `${driver} ${label || file.replace('_input', '')}`};
      });
  });
  return withOwnNames(fans.slice(0, deviceCountMax));
}

/** A header without a fan reads 0: only a fan that has turned once is told of. */
export function createFanReader(read: Read) {
  const turned = new Set<string>();
  return (fans: readonly Sensor[]): readonly FanReading[] =>
    fans.flatMap(({name, path}) => {
      const text = read(path).trim();
      const rpm = Number(text);
      if (text === '' || !(rpm >= 0 && rpm <= rpmMax)) return [];
      if (rpm > 0) turned.add(path);
      return turned.has(path) ? [{name, rpm}] : [];
    });
}

/**
 * What the machine draws, in watts: what its power meter says, else the energy that its processors have used since the reading before (RAPL, counted
 * in microjoules; the platform's own counter when there is one). Undefined where neither is there.
 */
export function createPowerMeter(list: List, read: Read, nowMs = monotonicMs) {
  const meters = list('/sys/class/hwmon')
    .map(device => `/sys/class/hwmon/${device}`)
    .filter(at => read(`${at}/name`).trim() === 'power_meter')
    .map(at => `${at}/power1_average`);
  const zones = list('/sys/class/powercap')
    .filter(name => /^intel-rapl:\d+$/.test(name))
    .map(name => `/sys/class/powercap/${name}`)
    .map(at => ({at, name: read(`${at}/name`).trim()}));
  const platform = zones.filter(({name}) => name === 'psys');
  const counters = (
    platform.length > 0 ? platform : zones.filter(({name}) => name.startsWith('package'))
  ).map(({at}) => `${at}/energy_uj`);
  let before: {readonly energies: readonly number[]; readonly ms: number} | undefined;

  const numberAt = (path: string) => {
    const text = read(path).trim();
    return text === '' ? Number.NaN : Number(text);
  };
  return {
    watts(): number | undefined {
      const [metered] = meters.map(numberAt).filter(value => value > 0);
      if (metered !== undefined) return round(metered / 1e6);
      if (counters.length === 0) return undefined;
      const now = {energies: counters.map(numberAt), ms: nowMs()};
      const last = before;
      before = now;
      if (!last || now.ms <= last.ms) return undefined;
      const used = now.energies.map((energy, index) => energy - (last.energies[index] ?? NaN));
      // A counter that began anew, or that may not be read.
      if (!used.every(energy => energy >= 0)) return undefined;
      return round(used.reduce((sum, energy) => sum + energy, 0) / 1000 / (now.ms - last.ms));
    },
  };
}

const round = (watts: number) => Math.round(watts * 10) / 10;
