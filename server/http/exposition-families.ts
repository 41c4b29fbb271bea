import type {FleetSnapshot, MeasuredMachine, Tally} from '../domain/fleet-metrics.ts';
import {machineStates} from '../store/machines.ts';

export type Labels = Readonly<Record<string, string>>;
export type Series = {readonly labels: Labels; readonly value: number};

type Description = {
  /** With its unit; counters end in "_total". */
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
};

/** One series a machine; undefined: none. */
export type MachineFamily = Description & {
  readonly value: (machine: MeasuredMachine) => number | undefined;
};

/** Several series a machine, with labels besides its own. */
export type LabelledFamily = Description & {
  readonly series: (machine: MeasuredMachine) => readonly Series[];
  /** Whether both have the same series, but for their own labels: asked of each page and the one before. */
  readonly isSame: (one: MeasuredMachine, other: MeasuredMachine) => boolean;
};

export type FleetFamily = Description & {
  readonly series: (snapshot: FleetSnapshot) => readonly Series[];
};

export type Family = MachineFamily | LabelledFamily | FleetFamily;

const seconds = (time: Date | undefined) => time && time.getTime() / 1000;

const gauge = (
  name: string,
  help: string,
  value: (machine: MeasuredMachine) => number | undefined,
): MachineFamily => ({name: `muster_machine_${name}`, help, type: 'gauge', value});

const counter = (
  name: string,
  help: string,
  value: (machine: MeasuredMachine) => number | undefined,
): MachineFamily => ({name: `muster_machine_${name}`, help, type: 'counter', value});

/** Of every machine: what is not known of it is left out. */
export const machineFamilies: readonly MachineFamily[] = [
  gauge(
    'online',
    'Whether the agent was heard within 30 s; absent while the server cannot hear',
    m => (m.presence === 'unknown' ? undefined : Number(m.presence === 'online')),
  ),
  gauge('last_seen_timestamp_seconds', 'When the agent was last heard', m =>
    seconds(m.lastSeenTime),
  ),
  gauge('state_timestamp_seconds', 'Since when the machine is in its state', m =>
    seconds(m.stateTime),
  ),
  gauge('boot_timestamp_seconds', 'When the running system first reported', m =>
    seconds(m.bootTime),
  ),
  gauge('clock_skew_seconds', "The machine's clock minus the server's, at its last hello", m =>
    m.clockSkewMs === undefined ? undefined : m.clockSkewMs / 1000,
  ),
  gauge('sample_timestamp_seconds', 'When the last sample was taken', m => seconds(m.sample?.time)),
  gauge('uptime_seconds', 'Time since the kernel started', m => m.sample?.uptime),
  gauge('power_on', 'Whether the power is on, as last reported', m =>
    m.sample?.powerState === undefined ? undefined : Number(m.sample.powerState === 'on'),
  ),
  gauge('cpu_usage_ratio', 'Busy share of all CPUs between the last two samples, 0 to 1', m =>
    m.sample?.cpuUsagePercent === undefined ? undefined : m.sample.cpuUsagePercent / 100,
  ),
  gauge('load1', 'Load average over one minute', m => m.sample?.load1),
  gauge('load5', 'Load average over five minutes', m => m.sample?.load5),
  gauge('load15', 'Load average over fifteen minutes', m => m.sample?.load15),
  gauge(
    'memory_used_bytes',
    'Memory that is not available to programs',
    m => m.sample?.memoryUsedBytes,
  ),
  gauge('memory_size_bytes', 'Memory that the kernel manages', m => m.sample?.memoryTotalBytes),
  gauge(
    'disk_used_bytes',
    'Used in all file systems on block devices',
    m => m.sample?.diskUsedBytes,
  ),
  gauge(
    'disk_size_bytes',
    'Size of all file systems on block devices',
    m => m.sample?.diskTotalBytes,
  ),
  counter(
    'network_receive_bytes_total',
    'Received on all interfaces but loopback',
    m => m.sample?.networkRxBytes,
  ),
  counter(
    'network_transmit_bytes_total',
    'Sent on all interfaces but loopback',
    m => m.sample?.networkTxBytes,
  ),
  gauge(
    'temperature_celsius',
    'The hottest sensor of processors and board',
    m => m.sample?.temperature,
  ),
];

/** Joined to the others by machine_id: long labels on every series would multiply their cost. */
export const labelledFamilies: readonly LabelledFamily[] = [
  {
    name: 'muster_machine_info',
    help: 'What the machine is; the value is always 1',
    type: 'gauge',
    series: ({serviceTag, manufacturer, product, agentVersion}) => [
      {
        labels: {
          service_tag: serviceTag,
          manufacturer,
          product,
          agent_version: agentVersion,
        },
        value: 1,
      },
    ],
    isSame: (one, other) =>
      one.serviceTag === other.serviceTag &&
      one.manufacturer === other.manufacturer &&
      one.product === other.product &&
      one.agentVersion === other.agentVersion,
  },
  {
    name: 'muster_machine_state',
    help: 'The state that the machine is in; the value is always 1',
    type: 'gauge',
    series: ({state}) => [{labels: {state}, value: 1}],
    isSame: (one, other) => one.state === other.state,
  },
  {
    name: 'muster_machine_group',
    help: 'The groups that the machine was put into by hand; the value is always 1',
    type: 'gauge',
    series: ({groups}) => groups.map(group => ({labels: {group}, value: 1})),
    isSame: (one, other) =>
      one.groups.length === other.groups.length &&
      one.groups.every((group, at) => group === other.groups[at]),
  },
  {
    name: 'muster_machine_issues',
    help: 'Open issues of the machine by kind and severity, without muted ones',
    type: 'gauge',
    series: ({issues}) =>
      issues.map(({kind, severity, count}) => ({labels: {kind, severity}, value: count})),
    isSame: (one, other) => one.issues.length === 0 && other.issues.length === 0,
  },
];

const tallies = (rows: readonly Tally[]): readonly Series[] =>
  rows.map(({labels, count}) => ({labels, value: count}));

/** A value that nothing has now is 0, not absent: rules compare it. */
function withZeros(label: string, values: readonly string[], rows: readonly Tally[]) {
  const counts = new Map(values.map(value => [value, 0]));
  for (const {labels, count} of rows) {
    const value = labels[label] ?? '';
    counts.set(value, (counts.get(value) ?? 0) + count);
  }
  return [...counts].map(([value, count]) => ({labels: {[label]: value}, value: count}));
}

export const fleetFamilies: readonly FleetFamily[] = [
  {
    name: 'muster_machines',
    help: 'Machines by state',
    type: 'gauge',
    series: ({states}) => withZeros('state', machineStates, states),
  },
  {
    name: 'muster_machines_presence',
    help: 'Machines by whether their agents are heard',
    type: 'gauge',
    series: ({presences}) => withZeros('presence', ['online', 'offline', 'unknown'], presences),
  },
  {
    name: 'muster_builds',
    help: 'Builds that go on, and those that ended within a day, by state and back end',
    type: 'gauge',
    series: ({builds}) => tallies(builds),
  },
  {
    name: 'muster_operations',
    help: 'Operations that go on, and those that ended within a day, by kind and state',
    type: 'gauge',
    series: ({operations}) => tallies(operations),
  },
  {
    name: 'muster_issues',
    help: 'Open issues by kind, severity and whether somebody acknowledged them, without muted ones',
    type: 'gauge',
    series: ({issues}) => tallies(issues),
  },
  {
    name: 'muster_services',
    help: 'Edges and builders by kind and whether they report',
    type: 'gauge',
    series: ({services}) => tallies(services),
  },
  {
    name: 'muster_exposition_machines_left_out',
    help: 'Machines without series of their own, because there are more than the limit',
    type: 'gauge',
    series: ({machinesLeftOut}) => [{labels: {}, value: machinesLeftOut}],
  },
  {
    name: 'muster_exposition_timestamp_seconds',
    help: 'When this page was gathered: it is kept for some seconds',
    type: 'gauge',
    series: ({time}) => [{labels: {}, value: time.getTime() / 1000}],
  },
];
