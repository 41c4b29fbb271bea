import {
  type AuditEntry,
  AuditEntry_Outcome as Outcome,
} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {Badge} from '../../ui/Badge.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {lookUp} from '../../ui/tones.ts';

export const outcomeLook = lookUp({
  [Outcome.OK]: {word: 'Done', tone: 'ok', icon: 'check'},
  [Outcome.REFUSED]: {word: 'Refused', tone: 'bad', icon: 'cross'},
  [Outcome.FAILED]: {word: 'Failed', tone: 'warn', icon: 'warning'},
});

/** What happened in one word: the change, or the call that changed nothing. */
export const whatOf = ({action, method}: AuditEntry): string => action || method;

export const auditColumns: readonly TableColumn<AuditEntry>[] = [
  {
    id: 'time',
    header: 'When',
    widthPx: 104,
    onPhone: true,
    cell: ({time}) => <RelativeTime time={time} />,
  },
  {
    id: 'actor',
    header: 'Who',
    widthPx: 104,
    grows: true,
    onPhone: true,
    cell: ({actor}) => <span title={actor}>{actor}</span>,
  },
  {
    id: 'what',
    header: 'What',
    widthPx: 150,
    grows: true,
    onPhone: true,
    cell: entry => (
      <>
        <strong>{whatOf(entry)}</strong>
        {entry.count > 1 && <span className="muted"> × {entry.count}</span>}
      </>
    ),
  },
  {
    id: 'resource',
    header: 'On',
    widthPx: 200,
    grows: true,
    cell: ({resource}) => (
      <span className="mono" title={resource}>
        {resource}
      </span>
    ),
  },
  {
    id: 'outcome',
    header: 'Outcome',
    widthPx: 104,
    cell: ({outcome, error}) => <Badge look={outcomeLook(outcome)} title={error} />,
  },
  {
    id: 'address',
    header: 'From',
    widthPx: 120,
    cell: ({address}) => <span className="mono">{address}</span>,
  },
  {
    id: 'position',
    header: 'Position',
    widthPx: 80,
    align: 'end',
    cell: ({position}) => String(position),
  },
];

const wideOnly = new Set(['resource', 'address', 'position']);
export const auditColumnsNarrow: ReadonlySet<string> = new Set(
  auditColumns.map(({id}) => id).filter(id => !wideOnly.has(id)),
);
