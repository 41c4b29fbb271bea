import type {OperationChild} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {timestampMs} from '@bufbuild/protobuf/wkt';
import {Link} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {Badge} from '../../ui/Badge.tsx';
import {formatDuration} from '../../ui/format.ts';
import {childError, childLook} from './operation-words.ts';

export const childColumns = (isRollout: boolean): readonly TableColumn<OperationChild>[] => [
  {id: 'number', header: '№', widthPx: 60, align: 'end', cell: ({number}) => number},
  ...(isRollout
    ? [{id: 'wave', header: 'Wave', widthPx: 60, cell: ({wave}: OperationChild) => wave}]
    : []),
  {
    id: 'machine',
    header: 'Machine',
    widthPx: 170,
    onPhone: true,
    cell: child => <ChildMachine child={child} />,
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 120,
    onPhone: true,
    cell: ({state}) => <Badge look={childLook(state)} />,
  },
  {
    id: 'outcome',
    header: 'What became of it',
    widthPx: 320,
    grows: true,
    cell: child => <Outcome child={child} />,
  },
  {
    id: 'took',
    header: 'Took',
    widthPx: 110,
    align: 'end',
    cell: ({startTime, endTime}) =>
      startTime && endTime ? formatDuration(timestampMs(endTime) - timestampMs(startTime)) : '',
  },
];

export function ChildMachine({child: {machineId, machine}}: {readonly child: OperationChild}) {
  if (machineId === '') return <span>{machine}</span>;
  return (
    <Link to="/machines/$id" params={{id: machineId}} title={machineId}>
      {machine || machineId.slice(0, 8)}
    </Link>
  );
}

export function Outcome({child}: {readonly child: OperationChild}) {
  const {summary, step, buildId, nextStep} = child;
  const done = summary || step;
  const text = childError(child) || (nextStep === '' ? done : `${done}. ${nextStep}`);
  return (
    <span title={text}>
      {buildId !== '' && (
        <>
          <Link to="/builds/$id" params={{id: buildId}}>
            build
          </Link>
          {text !== '' && ' · '}
        </>
      )}
      {text}
    </span>
  );
}
