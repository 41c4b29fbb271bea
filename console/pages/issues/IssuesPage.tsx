import {IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useSearch} from '@tanstack/react-router';
import {PageHeader} from '../../ui/blocks.tsx';
import {SearchTabs} from '../../ui/SearchTabs.tsx';
import {IssuesTab} from './IssuesTab.tsx';
import {RulesTab} from './RulesTab.tsx';
import './issues.css';

export function IssuesPage() {
  const {tab} = useSearch({from: '/shell/issues'});
  const {data} = useQuery(IssueService.method.getIssueSummary, {});
  const isRules = tab === 'rules';
  const summary = data?.summary;
  return (
    <div className="page fill">
      <PageHeader
        title="Issues"
        beside={
          summary && (
            <span className="muted">
              {summary.open} open · {summary.acknowledged} acknowledged · {summary.muted} muted
            </span>
          )
        }
      />
      <SearchTabs
        label="Issues"
        tabs={[
          {label: 'Issues', link: {to: '/issues'}, isCurrent: !isRules},
          {
            label: 'What is looked for',
            link: {to: '/issues', search: {tab: 'rules'}},
            isCurrent: isRules,
          },
        ]}
      />
      {isRules ? <RulesTab /> : <IssuesTab summary={summary} />}
    </div>
  );
}
