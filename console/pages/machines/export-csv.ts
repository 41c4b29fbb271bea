import type {DescEnum} from '@bufbuild/protobuf';
import {timestampDate} from '@bufbuild/protobuf/wkt';
import {
  type Machine,
  Machine_PresenceSchema as PresenceSchema,
  Machine_StateSchema as StateSchema,
  type MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Client} from '@connectrpc/connect';
import {rowFields} from './machine-columns.tsx';

const pageRows = 1000;
/** More do not fit into the sheets that people open them with. */
export const exportRowsMax = 200_000;

const columns: readonly (readonly [title: string, value: (machine: Machine) => string])[] = [
  ['id', machine => machine.id],
  ['hostname', machine => machine.hostname],
  ['service_tag', machine => machine.serviceTag],
  ['uuid', machine => machine.uuid],
  ['mac_address', machine => machine.macAddress],
  ['manufacturer', machine => machine.manufacturer],
  ['product', machine => machine.product],
  ['state', machine => nameOf(StateSchema, machine.state)],
  ['state_reason', machine => machine.stateReason],
  ['presence', machine => nameOf(PresenceSchema, machine.presence)],
  ['last_seen_time', machine => timeOf(machine.lastSeenTime)],
  ['cpu_threads', machine => String(machine.hardware?.cpuThreads ?? '')],
  ['memory_bytes', machine => String(machine.hardware?.memoryBytes ?? '')],
  ['disk_count', machine => String(machine.hardware?.diskCount ?? '')],
  ['disk_bytes', machine => String(machine.hardware?.diskBytes ?? '')],
  [
    'labels',
    machine =>
      Object.entries(machine.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
  ],
  ['booted_image_id', machine => machine.bootedImageId],
  ['create_time', machine => timeOf(machine.createTime)],
];

type ExportOptions = {
  readonly client: Client<typeof MachineService>;
  readonly filter: string;
  readonly orderBy: string;
  readonly onProgress: (rows: number) => void;
  readonly signal: AbortSignal;
};

/** Every machine of the filter, not only those that are loaded. */
export async function exportCsv(options: ExportOptions): Promise<Blob> {
  const {client, filter, orderBy, onProgress, signal} = options;
  const parts = [`${columns.map(([title]) => title).join(',')}\r\n`];
  let pageToken = '';
  let count = 0;
  do {
    const page = await client.listMachines(
      {filter, orderBy, pageSize: pageRows, pageToken, readMask: {paths: [...rowFields]}},
      {signal},
    );
    parts.push(...page.machines.map(csvLine));
    count += page.machines.length;
    onProgress(count);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && count < exportRowsMax);
  return new Blob(parts, {type: 'text/csv'});
}

export const csvLine = (machine: Machine): string =>
  `${columns.map(([, value]) => csvCell(value(machine))).join(',')}\r\n`;

/** What begins like a formula would be run by the sheet that opens the file: agents report such texts, too. */
export function csvCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

const nameOf = (schema: DescEnum, value: number): string => schema.value[value]?.localName ?? '';

const timeOf = (time: Machine['createTime']): string =>
  time ? timestampDate(time).toISOString() : '';

export function saveFile(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
