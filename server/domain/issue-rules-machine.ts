import type {Devices} from '../store/metrics.ts';
import {always, type Condition, inService, type JudgedRule} from './issue-rule.ts';
import {accepted} from './lifecycle.ts';

const minute = 60;
const hottestShown = 8;

/** Readings of one field of each device of a kind, by the device's name. */
function readings(devices: Devices | undefined, field: string): [string, number][] {
  return Object.entries(devices ?? {}).flatMap(([key, value]): [string, number][] =>
    key.startsWith(`${field}/`) ? [[key.slice(field.length + 1), value]] : [],
  );
}

const temperature: JudgedRule = {
  ...always,
  kind: 'temperature',
  source: 'rules',
  title: 'It is too hot',
  severity: 'warning',
  raiseAfterSeconds: 5 * minute,
  clearAfterSeconds: 5 * minute,
  thresholds: {
    celsius: {unit: '°C', raiseAt: 90, clearAt: 85, min: 30, max: 150},
  },
  states: inService,
  over: 'It is cool again',
  judge({sample}, {isBad}) {
    if (sample?.temperature === undefined) return 'unknown';
    const {temperature: celsius, devices, time} = sample;
    if (!isBad('celsius', celsius, '')) return [];
    const sensors = readings(devices, 'sensor/temperature')
      .sort(([, a], [, b]) => b - a)
      .slice(0, hottestShown);
    const [hottest] = sensors;
    return [
      {
        component: '',
        summary: `Its hottest sensor${hottest ? ` (${hottest[0]})` : ''} is at ${Math.round(celsius)} °C`,
        nextStep: 'Check its fans, its air filters and the temperature of the room',
        evidence: {
          celsius,
          sample_time: time.toISOString(),
          sensors: Object.fromEntries(sensors),
        },
      },
    ];
  },
};

/** Agents tell only of fans that they have seen turning. */
const fan: JudgedRule = {
  ...always,
  kind: 'fan',
  source: 'rules',
  title: 'A fan has stopped',
  severity: 'critical',
  raiseAfterSeconds: 3 * minute,
  clearAfterSeconds: 3 * minute,
  thresholds: {
    rpm: {unit: 'rpm', below: true, raiseAt: 100, clearAt: 300, min: 0, max: 20_000},
  },
  states: inService,
  over: 'The fan turns again',
  judge({sample}, {isBad}) {
    if (!sample?.devices) return 'unknown';
    return readings(sample.devices, 'fan/rpm').flatMap(([name, rpm]): Condition[] =>
      isBad('rpm', rpm, name)
        ? [
            {
              component: name,
              summary: `Fan "${name}" turns at ${Math.round(rpm)} rpm`,
              nextStep: `Look whether something blocks fan "${name}", then replace it`,
              evidence: {rpm, sample_time: sample.time.toISOString()},
            },
          ]
        : [],
    );
  },
};

/** Only of a whole inventory, and not of a virtual machine. */
const noBmc: JudgedRule = {
  ...always,
  kind: 'no_bmc',
  source: 'rules',
  title: 'It has no BMC that its agent could find',
  severity: 'info',
  raiseAfterSeconds: 0,
  clearAfterSeconds: 0,
  states: accepted,
  over: 'Its inventory has a BMC, or it is a virtual machine',
  judge({management, hardwareTime}) {
    if (management === undefined || management === 'unknown') return 'unknown';
    if (management !== 'absent') return [];
    return [
      {
        component: '',
        summary: 'Its inventory has no BMC',
        nextStep:
          'If it has one, switch on its host interface in the firmware; else connect it to a switched power outlet, or mute this',
        evidence: {inventory_time: hardwareTime?.toISOString() ?? null},
        since: hardwareTime,
      },
    ];
  },
};

export const machineRules: readonly JudgedRule[] = [temperature, fan, noBmc];
