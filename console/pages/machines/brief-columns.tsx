import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Link} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {PresenceMark, StateBadge} from '../../ui/Badge.tsx';
import {machineName} from './machine-name.ts';

/** What lists tell of machines when they are about something else. */
export const briefColumns = {
  name: {
    id: 'name',
    header: 'Machine',
    widthPx: 150,
    grows: true,
    onPhone: true,
    cell: machine => (
      <Link to="/machines/$id" params={{id: machine.id}}>
        {machineName(machine)}
      </Link>
    ),
  },
  state: {
    id: 'state',
    header: 'State',
    widthPx: 124,
    onPhone: true,
    cell: ({state}) => <StateBadge value={state} />,
  },
  presence: {
    id: 'presence',
    header: 'Presence',
    widthPx: 96,
    cell: ({presence}) => <PresenceMark value={presence} />,
  },
  model: {
    id: 'model',
    header: 'Model',
    widthPx: 120,
    grows: true,
    cell: ({manufacturer, product}) => `${manufacturer} ${product}`,
  },
} as const satisfies Record<string, TableColumn<Machine>>;
