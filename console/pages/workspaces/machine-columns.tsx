import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {PresenceMark, StateBadge} from '../../ui/Badge.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {machineName} from '../machines/machine-name.ts';

export const machineMask = {
  paths: [
    'id',
    'hostname',
    'service_tag',
    'mac_address',
    'product',
    'manufacturer',
    'state',
    'presence',
    'workspace_id',
    'workspace_time',
  ],
};

export const machineColumns: readonly TableColumn<Machine>[] = [
  {
    id: 'machine',
    header: 'Machine',
    widthPx: 160,
    grows: true,
    onPhone: true,
    cell: machine => <strong>{machineName(machine)}</strong>,
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 130,
    onPhone: true,
    cell: ({state}) => <StateBadge value={state} />,
  },
  {
    id: 'presence',
    header: 'Presence',
    widthPx: 124,
    cell: ({presence}) => <PresenceMark value={presence} />,
  },
  {
    id: 'serial',
    header: 'Serial number',
    widthPx: 130,
    cell: ({serviceTag}) => <span className="mono">{serviceTag}</span>,
  },
  {
    id: 'model',
    header: 'Model',
    widthPx: 180,
    grows: true,
    cell: ({manufacturer, product}) => `${manufacturer} ${product}`,
  },
  {
    id: 'since',
    header: 'Assigned',
    widthPx: 110,
    cell: ({workspaceTime}) => <RelativeTime time={workspaceTime} />,
  },
];
