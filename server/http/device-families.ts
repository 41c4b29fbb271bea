import type {MeasuredMachine} from '../domain/fleet-metrics.ts';
import type {Devices} from '../store/metrics.ts';
import type {Labels, LabelledFamily, Series} from './exposition-families.ts';

/** "kind/field" to what each device of that kind has. Parsed once for each reading, which is once a minute. */
const parsed = new WeakMap<Devices, ReadonlyMap<string, readonly (readonly [string, number])[]>>();

function readingsOf(devices: Devices) {
  const known = parsed.get(devices);
  if (known) return known;
  const readings = new Map<string, (readonly [string, number])[]>();
  for (const [key, value] of Object.entries(devices)) {
    const cut = key.indexOf('/', key.indexOf('/') + 1);
    const field = key.slice(0, cut);
    const named = readings.get(field);
    const reading = [key.slice(cut + 1), value] as const;
    if (named) named.push(reading);
    else readings.set(field, [reading]);
  }
  parsed.set(devices, readings);
  return readings;
}

function family(
  name: string,
  help: string,
  {field, labels}: {readonly field: string; readonly labels: (device: string) => Labels},
): LabelledFamily {
  return {
    name: `muster_machine_${name}`,
    help,
    type: name.endsWith('_total') ? 'counter' : 'gauge',
    series({sample}: MeasuredMachine): readonly Series[] {
      if (!sample?.devices) return nothing;
      const readings = readingsOf(sample.devices).get(field) ?? [];
      return readings.map(([device, value]) => ({labels: labels(device), value}));
    },
    // What agents tell once a minute is the same object until then.
    isSame: (one, other) => one.sample?.devices === other.sample?.devices,
  };
}

const nothing: readonly Series[] = [];

const device = (name: string): Labels => ({device: name});
const none = (): Labels => ({});

/** "/dev/sda1 /data" */
function fileSystem(name: string): Labels {
  const cut = name.indexOf(' ');
  return {device: name.slice(0, cut), mountpoint: name.slice(cut + 1)};
}

const network = (name: string, help: string, field: string) =>
  family(`interface_${name}_total`, help, {field: `interface/${field}`, labels: device});

/** Of each device by itself, as agents tell once a minute; and of the agent. */
export const deviceFamilies: readonly LabelledFamily[] = [
  family('filesystem_used_bytes', 'Used in each file system on a block device', {
    field: 'file_system/usedBytes',
    labels: fileSystem,
  }),
  family('filesystem_size_bytes', 'Size of each file system on a block device', {
    field: 'file_system/sizeBytes',
    labels: fileSystem,
  }),
  family('disk_read_bytes_total', 'Read from each disk', {
    field: 'disk/readBytes',
    labels: device,
  }),
  family('disk_written_bytes_total', 'Written to each disk', {
    field: 'disk/writtenBytes',
    labels: device,
  }),
  family('disk_busy_seconds_total', 'Time in which anything was under way on the disk', {
    field: 'disk/busySeconds',
    labels: device,
  }),
  network('receive_bytes', 'Received on each interface', 'rxBytes'),
  network('transmit_bytes', 'Sent on each interface', 'txBytes'),
  network('receive_errors', 'Errors while receiving on each interface', 'rxErrors'),
  network('transmit_errors', 'Errors while sending on each interface', 'txErrors'),
  network('receive_dropped', 'Packets dropped while receiving on each interface', 'rxDropped'),
  network('transmit_dropped', 'Packets dropped while sending on each interface', 'txDropped'),
  family('sensor_temperature_celsius', 'Each sensor of processors and board', {
    field: 'sensor/temperature',
    labels: sensor => ({sensor}),
  }),
  family('fan_speed_rpm', 'Each fan that has turned since the agent began', {
    field: 'fan/rpm',
    labels: fan => ({fan}),
  }),
  family(
    'power_watts',
    'What the machine draws as far as it tells: all of it, else its processors',
    {
      field: 'power/watts',
      labels: none,
    },
  ),
  family('agent_resident_memory_bytes', 'Resident memory of the agent', {
    field: 'agent/residentBytes',
    labels: none,
  }),
  family('agent_cpu_seconds_total', 'User and system CPU time of the agent', {
    field: 'agent/cpuSeconds',
    labels: none,
  }),
  family('agent_samples_waiting', 'Samples that the server had not confirmed', {
    field: 'agent/samplesWaiting',
    labels: none,
  }),
  family('agent_samples_dropped_total', 'Samples that this run of the agent gave up', {
    field: 'agent/samplesDropped',
    labels: none,
  }),
];
