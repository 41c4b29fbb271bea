import {
  type AuditEntry,
  AuditService,
  type ListAuditResponse,
} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {useMemo} from 'react';
import type {TableColumn} from '../../../table/columns.ts';
import {KeysetTable} from '../../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../../table/use-keyset-rows.ts';
import {Badge} from '../../../ui/Badge.tsx';
import {RelativeTime} from '../../../ui/RelativeTime.tsx';
import {EmptyState} from '../../../ui/states.tsx';
import {outcomeLook} from '../../audit/audit-columns.tsx';
import {actorWords, dataWords, typeWords} from '../../events-words.ts';
import {useMachine} from '../use-machine.ts';

const entriesOf = (page: ListAuditResponse) => page.entries;

const columns: readonly TableColumn<AuditEntry>[] = [
  {
    id: 'time',
    header: 'When',
    widthPx: 112,
    onPhone: true,
    cell: ({time}) => <RelativeTime time={time} />,
  },
  {id: 'actor', header: 'Who', widthPx: 120, onPhone: true, cell: ({actor}) => actorWords(actor)},
  {
    id: 'what',
    header: 'What',
    widthPx: 220,
    onPhone: true,
    cell: ({action, method}) => (action ? typeWords(action) : method),
  },
  {
    id: 'outcome',
    header: 'Outcome',
    widthPx: 104,
    cell: ({outcome}) => <Badge look={outcomeLook(outcome)} />,
  },
  {
    id: 'change',
    header: 'Change',
    widthPx: 280,
    grows: true,
    cell: entry => <span title={changeWords(entry)}>{changeWords(entry)}</span>,
  },
  {id: 'address', header: 'From', widthPx: 128, cell: ({address}) => address},
];

export function AuditTab() {
  const {id} = useMachine();
  const input = useMemo(() => ({resource: `machines/${id}`, pageSize: 200}), [id]);
  const list = useKeysetRows(AuditService.method.listAudit, input, entriesOf);
  return (
    <KeysetTable
      label="Audit of this machine"
      attempt="read the audit"
      columns={columns}
      list={list}
      rowId={({position}) => String(position)}
      empty={<EmptyState icon="audit" title="Nobody has changed anything" />}
    />
  );
}

const changeWords = ({error, before, after}: AuditEntry): string =>
  error || [dataWords(before), dataWords(after)].filter(Boolean).join(' → ');
