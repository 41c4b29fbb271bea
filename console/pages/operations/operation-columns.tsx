import {
  type Operation,
  Operation_State as State,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {Link} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {OperationBadge} from '../../ui/Badge.tsx';
import {ProgressBar} from '../../ui/blocks.tsx';
import {Identifier} from '../../ui/Identifier.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {CountsBar} from './CountsBar.tsx';
import {countsText, operationTitle} from './operation-words.ts';

export const operationColumns: readonly TableColumn<Operation>[] = [
  {
    id: 'state',
    header: 'State',
    widthPx: 120,
    onPhone: true,
    isFixed: true,
    cell: ({state}) => <OperationBadge value={state} />,
  },
  {
    id: 'what',
    header: 'What',
    widthPx: 210,
    grows: true,
    onPhone: true,
    isFixed: true,
    cell: operation => <What operation={operation} />,
  },
  {
    id: 'progress',
    header: 'Progress and outcome',
    widthPx: 280,
    grows: true,
    cell: operation => <Progress operation={operation} />,
  },
  {
    id: 'selection',
    header: 'Machines chosen by',
    widthPx: 170,
    cell: ({selection, machineId}) =>
      selection === '' ? (
        <MachineLink id={machineId} />
      ) : (
        <span title={selection}>{selection}</span>
      ),
  },
  {id: 'actor', header: 'By', widthPx: 110, cell: ({actor}) => actor},
  {
    id: 'created',
    header: 'Made',
    widthPx: 110,
    cell: ({createTime}) => <RelativeTime time={createTime} />,
  },
  {
    id: 'id',
    header: 'Id',
    widthPx: 110,
    isExtra: true,
    cell: ({id}) => <Identifier id={id} what="the id of the operation" />,
  },
];

function What({operation}: {readonly operation: Operation}) {
  const title = operationTitle(operation);
  const {id, kind} = operation;
  return kind === 'build' ? (
    <Link to="/builds/$id" params={{id}}>
      {title}
    </Link>
  ) : (
    <Link to="/operations/$id" params={{id}}>
      {title}
    </Link>
  );
}

function Progress({operation}: {readonly operation: Operation}) {
  const {children, state, error, progressPercent} = operation;
  if (children)
    return (
      <span className="operation-progress">
        <CountsBar counts={children} label="Machines" />
        <span className="muted">{countsText(children)}</span>
      </span>
    );
  if (error !== '')
    return (
      <span className="operation-error" title={error}>
        {error}
      </span>
    );
  if (state !== State.RUNNING) return null;
  return (
    <span className="operation-progress">
      <ProgressBar percent={progressPercent} label="Progress" />
      <span className="muted">{Math.round(progressPercent)} %</span>
    </span>
  );
}
