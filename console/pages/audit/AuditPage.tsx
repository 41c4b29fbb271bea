import {
  type AuditEntry,
  AuditService,
  type ListAuditResponse,
} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo, useState} from 'react';
import {Code} from '@connectrpc/connect';
import {isCode} from '../../api/errors.ts';
import {useLiveBatches} from '../../live/live.tsx';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {Split} from '../../ui/DetailPane.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {auditColumns, auditColumnsNarrow} from './audit-columns.tsx';
import {type AuditSearch, exportHref, filterOf} from './audit-filter.ts';
import {AuditFilters} from './AuditFilters.tsx';
import {EntryPane} from './EntryPane.tsx';
import {VerifyDialog} from './VerifyDialog.tsx';

const pageSize = 100;
const rowsOf = ({entries}: ListAuditResponse) => entries;
const allColumns = new Set(auditColumns.map(({id}) => id));

export function AuditPage() {
  const {entry, ...search} = useSearch({from: '/shell/audit'});
  const navigate = useNavigate();
  const key = JSON.stringify(search);
  const input = useMemo(() => ({pageSize, ...filterOf(JSON.parse(key) as AuditSearch)}), [key]);
  const list = useKeysetRows(AuditService.method.listAudit, input, rowsOf);
  const open = ({id}: AuditEntry) => void navigate({to: '/audit', search: {...search, entry: id}});
  const close = () => void navigate({to: '/audit', search});
  if (isCode(list.error, Code.PermissionDenied)) return <AdminsOnly />;
  return (
    <div className="page fill">
      <PageHeader
        title="Audit"
        actions={<AuditActions key={key} search={search} onRefresh={list.refresh} />}
      />
      <AuditFilters
        key={key}
        search={search}
        onChange={next => void navigate({to: '/audit', search: next})}
      />
      <Split
        pane={
          entry && (
            <EntryPane
              key={entry}
              id={entry}
              loaded={list.rows.find(({id}) => id === entry)}
              onClose={close}
            />
          )
        }
      >
        <KeysetTable
          label="Audit"
          columns={auditColumns}
          visible={entry ? auditColumnsNarrow : allColumns}
          list={list}
          attempt="list the audit"
          rowId={({id}) => id}
          onOpen={open}
          empty={
            <EmptyState icon="audit" title="No entry fits">
              <p>Widen the time or remove a filter. The same by the command line:</p>
              <CommandLine command="muster audit list --outcome refused" />
            </EmptyState>
          }
        />
      </Split>
    </div>
  );
}

type AuditActionsProps = {readonly search: AuditSearch; readonly onRefresh: () => void};

function AuditActions({search, onRefresh}: AuditActionsProps) {
  const [verifying, setVerifying] = useState(false);
  return (
    <>
      <NewerButton onShow={onRefresh} />
      <a className="button plain" href={exportHref(search)} download="audit.jsonl">
        Export as JSON lines
      </a>
      <Button icon="audit" onClick={() => setVerifying(true)}>
        Verify the chain
      </Button>
      {verifying && <VerifyDialog onClose={() => setVerifying(false)} />}
    </>
  );
}

/** Each event of the journal is an entry; the list stands still while somebody reads it, and says that there are more. */
function NewerButton({onShow}: {readonly onShow: () => void}) {
  const [isNewer, setNewer] = useState(false);
  useLiveBatches(() => setNewer(true));
  if (!isNewer) return null;
  return (
    <Button
      kind="primary"
      icon="refresh"
      onClick={() => {
        setNewer(false);
        onShow();
      }}
    >
      Show newer entries
    </Button>
  );
}

function AdminsOnly() {
  return (
    <div className="page">
      <PageHeader title="Audit" />
      <EmptyState icon="audit" title="The audit is for administrators">
        <p>Who did what is told to those whose role is admin for the whole site.</p>
      </EmptyState>
    </div>
  );
}
