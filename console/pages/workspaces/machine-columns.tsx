import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {briefColumns} from '../machines/brief-columns.tsx';
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
  briefColumns.state,
  briefColumns.presence,
  {
    id: 'serial',
    header: 'Serial number',
    widthPx: 130,
    cell: ({serviceTag}) => <span className="mono">{serviceTag}</span>,
  },
  briefColumns.model,
  {
    id: 'since',
    header: 'Assigned',
    widthPx: 110,
    cell: ({workspaceTime}) => <RelativeTime time={workspaceTime} />,
  },
];
