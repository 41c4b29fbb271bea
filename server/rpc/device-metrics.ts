import type {MessageInitShape} from '@bufbuild/protobuf';
import type {Metrics, MetricsSchema} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {Devices} from '../store/metrics.ts';

type Init = MessageInitShape<typeof MetricsSchema>;

/** By kind, the fields of a device's message and whether they are counts. */
const kinds = {
  file_system: {usedBytes: 'count', sizeBytes: 'count'},
  disk: {readBytes: 'count', writtenBytes: 'count', busySeconds: 'number'},
  interface: {
    rxBytes: 'count',
    txBytes: 'count',
    rxErrors: 'count',
    txErrors: 'count',
    rxDropped: 'count',
    txDropped: 'count',
  },
  sensor: {temperature: 'number'},
  fan: {rpm: 'number'},
  agent: {
    residentBytes: 'count',
    cpuSeconds: 'number',
    samplesWaiting: 'count',
    samplesDropped: 'count',
  },
  power: {watts: 'number'},
} as const satisfies Readonly<Record<string, Readonly<Record<string, 'count' | 'number'>>>>;

type Kind = keyof typeof kinds;
type Fields = Readonly<Record<string, unknown>>;

/** "interface/rxBytes/eth0" and so on; undefined when the sample says nothing of devices. */
export function devicesOf(metrics: Metrics): Devices | undefined {
  const devices: Record<string, number> = {};
  const put = (kind: Kind, name: string, message: Fields) => {
    for (const field of Object.keys(kinds[kind])) {
      const value = message[field];
      if (value === undefined || value === null) continue;
      const number = Number(value);
      // No counter of ours gets there: such a number is a misreading.
      if (number <= Number.MAX_SAFE_INTEGER) devices[`${kind}/${field}/${clean(name)}`] = number;
    }
  };
  for (const fileSystem of metrics.fileSystems)
    put('file_system', `${fileSystem.device} ${fileSystem.mountPoint}`, fileSystem);
  for (const disk of metrics.disks) put('disk', disk.name, disk);
  for (const own of metrics.interfaces) put('interface', own.name, own);
  for (const sensor of metrics.sensors) put('sensor', sensor.name, sensor);
  for (const fan of metrics.fans) put('fan', fan.name, fan);
  if (metrics.agent) put('agent', '', metrics.agent);
  if (metrics.powerWatts !== undefined) put('power', '', {watts: metrics.powerWatts});
  return Object.keys(devices).length > 0 ? devices : undefined;
}

/** The same the other way round; aggregates of counts are whole numbers again. */
export function devicesInit(devices: Devices | undefined): Init {
  const found = new Map<Kind, Map<string, Record<string, number | bigint>>>();
  for (const [key, value] of Object.entries(devices ?? {})) {
    const [, kind = '', field = '', name = ''] = /^([^/]+)\/([^/]+)\/(.*)$/s.exec(key) ?? [];
    if (!isKind(kind)) continue;
    const type = (kinds[kind] as Readonly<Record<string, string>>)[field];
    if (!type) continue;
    const named = found.get(kind) ?? new Map<string, Record<string, number | bigint>>();
    found.set(kind, named);
    named.set(name, {
      ...named.get(name),
      [field]: type === 'count' ? BigInt(Math.round(value)) : value,
    });
  }
  const all = (kind: Kind) => [...(found.get(kind) ?? [])];
  const [agent] = all('agent');
  const watts = all('power')[0]?.[1]['watts'];
  return {
    fileSystems: all('file_system').map(([name, fields]) => {
      const cut = name.indexOf(' ');
      return {device: name.slice(0, cut), mountPoint: name.slice(cut + 1), ...fields};
    }),
    disks: all('disk').map(([name, fields]) => ({name, ...fields})),
    interfaces: all('interface').map(([name, fields]) => ({name, ...fields})),
    sensors: all('sensor').map(([name, fields]) => ({name, ...fields})),
    fans: all('fan').map(([name, fields]) => ({name, ...fields})),
    ...(agent ? {agent: agent[1]} : {}),
    ...(watts === undefined ? {} : {powerWatts: Number(watts)}),
  };
}

const isKind = (text: string): text is Kind => Object.hasOwn(kinds, text);

/** PostgreSQL has no text with a zero character. */
const clean = (name: string) => name.replaceAll('\0', '\uFFFD');
