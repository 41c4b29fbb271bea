import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Link} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {PresenceMark, StateBadge} from '../../ui/Badge.tsx';
import {formatBytes, formatDiskBytes} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {trustWord} from '../../ui/tones.ts';
import {shortImageId} from '../images/image-words.ts';
import {machineName} from './machine-name.ts';

/** What the rows need of a machine: never nixos_config, which may be a mebibyte. */
export const rowFields = [
  'id',
  'hostname',
  'service_tag',
  'uuid',
  'mac_address',
  'manufacturer',
  'product',
  'state',
  'state_reason',
  'state_time',
  'stuck_reason',
  'quarantine_reason',
  'presence',
  'last_seen_time',
  'trust',
  'labels',
  'workspace_id',
  'hardware',
  'desired_image_id',
  'booted_image_id',
  'description',
  'create_time',
] as const;

export const machineColumns: readonly TableColumn<Machine>[] = [
  {
    id: 'name',
    header: 'Machine',
    widthPx: 152,
    grows: true,
    isFixed: true,
    onPhone: true,
    orderBy: 'hostname',
    cell: machine => (
      <Link to="/machines/$id" params={{id: machine.id}} tabIndex={-1}>
        {machineName(machine)}
      </Link>
    ),
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 132,
    onPhone: true,
    orderBy: 'state',
    cell: machine => (
      <span className="with-mark">
        <StateBadge value={machine.state} title={machine.stateReason} />
        <Trouble machine={machine} />
      </span>
    ),
  },
  {
    id: 'presence',
    header: 'Presence',
    widthPx: 100,
    cell: machine => <PresenceMark value={machine.presence} />,
  },
  {
    id: 'seen',
    header: 'Last seen',
    widthPx: 92,
    orderBy: 'last_seen_time',
    cell: machine => <RelativeTime time={machine.lastSeenTime} empty="never" />,
  },
  {
    id: 'serial',
    header: 'Serial number',
    widthPx: 120,
    orderBy: 'service_tag',
    cell: machine => <span className="mono">{machine.serviceTag}</span>,
  },
  {
    id: 'product',
    header: 'Product',
    widthPx: 184,
    orderBy: 'product',
    cell: ({manufacturer, product}) => `${manufacturer} ${product}`.trim(),
  },
  {
    id: 'memory',
    header: 'Memory',
    widthPx: 88,
    align: 'end',
    orderBy: 'hardware.memory_bytes',
    cell: ({hardware}) => hardware && formatBytes(hardware.memoryBytes),
  },
  {
    id: 'labels',
    header: 'Labels',
    widthPx: 160,
    cell: ({labels}) => <Labels labels={labels} />,
  },
  {
    id: 'since',
    header: 'In this state since',
    widthPx: 136,
    isExtra: true,
    orderBy: 'state_time',
    cell: machine => <RelativeTime time={machine.stateTime} />,
  },
  {
    id: 'mac',
    header: 'Boot MAC',
    widthPx: 144,
    isExtra: true,
    orderBy: 'mac_address',
    cell: machine => <span className="mono">{machine.macAddress}</span>,
  },
  {
    id: 'threads',
    header: 'CPU threads',
    widthPx: 96,
    align: 'end',
    isExtra: true,
    orderBy: 'hardware.cpu_threads',
    cell: ({hardware}) => hardware?.cpuThreads,
  },
  {
    id: 'cpu',
    header: 'CPU',
    widthPx: 200,
    isExtra: true,
    orderBy: 'hardware.cpu_model',
    cell: ({hardware}) => hardware?.cpuModel,
  },
  {
    id: 'disks',
    header: 'Disks',
    widthPx: 112,
    align: 'end',
    isExtra: true,
    orderBy: 'hardware.disk_bytes',
    cell: ({hardware}) =>
      hardware && `${hardware.diskCount} × ${formatDiskBytes(hardware.diskBytes)}`,
  },
  {
    id: 'trust',
    header: 'Trust',
    widthPx: 96,
    isExtra: true,
    orderBy: 'trust',
    cell: machine => trustWord(machine.trust),
  },
  {
    id: 'image',
    header: 'Booted image',
    widthPx: 128,
    isExtra: true,
    cell: machine => <span className="mono">{shortImageId(machine.bootedImageId)}</span>,
  },
  {
    id: 'uuid',
    header: 'UUID',
    widthPx: 296,
    isExtra: true,
    orderBy: 'uuid',
    cell: machine => <span className="mono">{machine.uuid}</span>,
  },
  {
    id: 'description',
    header: 'Description',
    widthPx: 200,
    isExtra: true,
    orderBy: 'description',
    cell: machine => machine.description,
  },
  {
    id: 'created',
    header: 'Known since',
    widthPx: 112,
    isExtra: true,
    orderBy: 'create_time',
    cell: machine => <RelativeTime time={machine.createTime} />,
  },
];

/** Stuck and quarantined machines stand out in any list. */
function Trouble({machine}: {readonly machine: Machine}) {
  const reason = machine.quarantineReason || machine.stuckReason;
  if (!reason) return null;
  const word = machine.quarantineReason ? 'Quarantined' : 'Stuck';
  return (
    <span className="trouble" title={`${word}: ${reason}`}>
      <Icon name="warning" size={12} />
      <span className="visually-hidden">{word}</span>
    </span>
  );
}

function Labels({labels}: {readonly labels: Readonly<Record<string, string>>}) {
  return Object.entries(labels).map(([key, value]) => (
    <span key={key} className="label" title={`${key}=${value}`}>
      {key}={value}
    </span>
  ));
}
