import {
  IssueService,
  type IssueSummary,
  type ListIssuesResponse,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo} from 'react';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Button} from '../../ui/Button.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {Split} from '../../ui/DetailPane.tsx';
import {EmptyState, Notice} from '../../ui/states.tsx';
import {issueColumns, issueColumnsNarrow} from './issue-columns.tsx';
import {type IssueSearch, requestOf} from './issue-search.ts';
import {IssueFilters} from './IssueFilters.tsx';
import {IssuePane} from './IssuePane.tsx';

const pageSize = 100;
const rowsOf = ({issues}: ListIssuesResponse) => issues;
const allColumns = new Set(issueColumns.map(({id}) => id));

export function IssuesTab({summary}: {readonly summary: IssueSummary | undefined}) {
  const {issue, tab: _tab, rule: _rule, ...search} = useSearch({from: '/shell/issues'});
  const navigate = useNavigate();
  const key = JSON.stringify(search);
  const input = useMemo(() => ({pageSize, ...requestOf(JSON.parse(key) as IssueSearch)}), [key]);
  const list = useKeysetRows(IssueService.method.listIssues, input, rowsOf);
  const go = (next: IssueSearch & {readonly issue?: string}) =>
    void navigate({to: '/issues', search: next});
  const isNarrowed = Object.values(search).some(Boolean);
  return (
    <>
      <IssueFilters search={search} summary={summary} onChange={go} />
      {list.isOutdated && (
        <Notice tone="info" icon="info">
          The list has changed.{' '}
          <Button kind="quiet" icon="refresh" onClick={list.refresh}>
            Load it again
          </Button>
        </Notice>
      )}
      <Split pane={issue && <IssuePane key={issue} id={issue} onClose={() => go(search)} />}>
        <KeysetTable
          label="Issues"
          columns={issueColumns}
          visible={issue ? issueColumnsNarrow : allColumns}
          list={list}
          attempt="list the issues"
          rowId={({id}) => id}
          onOpen={({id}) => go({...search, issue: id})}
          empty={<NoIssues isNarrowed={isNarrowed} onShowAll={() => go({})} />}
        />
      </Split>
    </>
  );
}

function NoIssues({
  isNarrowed,
  onShowAll,
}: {
  readonly isNarrowed: boolean;
  readonly onShowAll: () => void;
}) {
  if (isNarrowed)
    return (
      <EmptyState icon="issue" title="No issue fits">
        <Button onClick={onShowAll}>Show all that are not over</Button>
      </EmptyState>
    );
  return (
    <EmptyState icon="check" title="Nothing is wrong">
      <p>No machine has an issue that is not over. What was:</p>
      <CommandLine command="muster issues list --all" />
    </EmptyState>
  );
}
