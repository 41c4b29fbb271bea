import type {Issue} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {Badge, SeverityBadge} from '../../ui/Badge.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {issueLook, kindWord} from './issue-words.ts';
import {MachineLink} from '../machines/MachineLink.tsx';

export const issueColumns: readonly TableColumn<Issue>[] = [
  {
    id: 'severity',
    header: 'Severity',
    widthPx: 104,
    onPhone: true,
    cell: ({severity}) => <SeverityBadge value={severity} />,
  },
  {
    id: 'machine',
    header: 'Machine',
    widthPx: 104,
    grows: true,
    onPhone: true,
    cell: ({machineId}) => <MachineLink id={machineId} />,
  },
  {
    id: 'kind',
    header: 'What',
    widthPx: 150,
    onPhone: true,
    cell: ({kind}) => <strong>{kindWord(kind)}</strong>,
  },
  {
    id: 'summary',
    header: 'Seen',
    widthPx: 260,
    grows: true,
    cell: ({summary}) => <span title={summary}>{summary}</span>,
  },
  {
    id: 'since',
    header: 'Since',
    widthPx: 100,
    cell: ({sinceTime, raiseTime}) => <RelativeTime time={sinceTime ?? raiseTime} />,
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 132,
    cell: issue => <Badge look={issueLook(issue)} title={issue.note || issue.clearReason} />,
  },
];

const wideOnly = new Set(['summary', 'since']);
export const issueColumnsNarrow: ReadonlySet<string> = new Set(
  issueColumns.map(({id}) => id).filter(id => !wideOnly.has(id)),
);
