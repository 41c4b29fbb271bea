import {type IssueRule, IssueService} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {DataTable} from '../../table/DataTable.tsx';
import {Badge, SeverityBadge} from '../../ui/Badge.tsx';
import {Split} from '../../ui/DetailPane.tsx';
import {formatDuration} from '../../ui/format.ts';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import type {Look} from '../../ui/tones.ts';
import {RulePane} from './RulePane.tsx';

const spanText = (seconds: number): string =>
  seconds === 0 ? 'at once' : formatDuration(seconds * 1000);

function ruleLook({enabled, mute}: IssueRule): Look {
  if (!enabled) return {word: 'Off', tone: 'idle', icon: 'dash'};
  if (mute) return {word: 'Muted', tone: 'idle', icon: 'pause'};
  return {word: 'On', tone: 'ok', icon: 'check'};
}

const limitText = ({thresholds}: IssueRule): string =>
  thresholds
    .map(({raiseAt, unit, below}) => `${below ? '≤' : '≥'} ${raiseAt} ${unit}`.trim())
    .join(', ');

const columns: readonly TableColumn<IssueRule>[] = [
  {
    id: 'title',
    header: 'What',
    widthPx: 240,
    grows: true,
    onPhone: true,
    cell: ({title, changed}) => (
      <>
        <strong>{title}</strong>
        {changed && <span className="muted"> · changed</span>}
      </>
    ),
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 90,
    onPhone: true,
    cell: rule => <Badge look={ruleLook(rule)} />,
  },
  {
    id: 'severity',
    header: 'Severity',
    widthPx: 104,
    cell: ({severity}) => <SeverityBadge value={severity} />,
  },
  {id: 'limits', header: 'Limit', widthPx: 120, cell: limitText},
  {
    id: 'raise',
    header: 'Raised after',
    widthPx: 110,
    cell: ({raiseAfterSeconds}) => spanText(raiseAfterSeconds),
  },
  {
    id: 'clear',
    header: 'Over after',
    widthPx: 110,
    cell: ({clearAfterSeconds}) => spanText(clearAfterSeconds),
  },
  {
    id: 'kind',
    header: 'Kind',
    widthPx: 160,
    cell: ({kind}) => <span className="mono">{kind}</span>,
  },
];
const narrow = new Set(['title', 'state', 'severity']);
const all = new Set(columns.map(({id}) => id));

export function RulesTab() {
  const {rule: kind} = useSearch({from: '/shell/issues'});
  const navigate = useNavigate();
  const {data, error, isPending, refetch} = useQuery(IssueService.method.listIssueRules, {});
  const go = (rule: string | undefined) =>
    void navigate({to: '/issues', search: {tab: 'rules', ...(rule && {rule})}});
  const rules = data?.rules ?? [];
  const open = rules.find(rule => rule.kind === kind);
  if (error && !data)
    return <ErrorState error={error} attempt="list the rules" onRetry={() => void refetch()} />;
  return (
    <Split pane={open && <RulePane key={kind} rule={open} onClose={() => go(undefined)} />}>
      <DataTable
        label="Rules for issues"
        columns={columns}
        visible={open ? narrow : all}
        rows={rules}
        rowId={({kind}) => kind}
        isLoading={isPending}
        onOpen={({kind}) => go(kind)}
        empty={<EmptyState icon="rule" title="This server looks for nothing" />}
      />
    </Split>
  );
}
