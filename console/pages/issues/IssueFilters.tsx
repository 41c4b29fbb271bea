import {IssueService, type IssueSummary} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Button, IconButton} from '../../ui/Button.tsx';
import {severityLook} from '../../ui/tones.ts';
import {severities, kindWord} from './issue-words.ts';
import {type IssueSearch, severityNames} from './issue-search.ts';
import {MachineLink} from '../machines/MachineLink.tsx';
import '../../ui/card-filter.css';

type IssueFiltersProps = {
  readonly search: IssueSearch;
  readonly summary: IssueSummary | undefined;
  readonly onChange: (search: IssueSearch) => void;
};

export function IssueFilters({search, summary, onChange}: IssueFiltersProps) {
  const {data} = useQuery(IssueService.method.listIssueRules, {}, {staleTime: 60_000});
  const kinds = (data?.rules ?? []).filter(
    ({source}) => !search.source || source === search.source,
  );
  const isNarrowed = Object.values(search).some(Boolean);
  const choose = (name: keyof IssueSearch, label: string, choices: readonly Choice[]) => (
    <label className="issue-filter">
      {label}
      <select
        className="input"
        value={search[name] ?? ''}
        onChange={event => onChange({...search, [name]: event.target.value})}
      >
        {choices.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <div className="toolbar issue-filters">
      <SeverityToggles search={search} summary={summary} onChange={onChange} />
      {choose('state', 'State', stateChoices)}
      {choose('source', 'By', sourceChoices)}
      {choose('kind', 'What', [
        ['', 'Everything'],
        ...kinds.map(({kind}) => [kind, kindWord(kind)] as const),
        ...(search.kind && !kinds.some(({kind}) => kind === search.kind)
          ? [[search.kind, kindWord(search.kind)] as const]
          : []),
      ])}
      {choose('muted', 'Muted', mutedChoices)}
      {search.machine && (
        <span className="issue-machine">
          on <MachineLink id={search.machine} />
          <IconButton
            icon="close"
            label="Issues of all machines"
            onClick={() => onChange({...search, machine: ''})}
          />
        </span>
      )}
      {isNarrowed && (
        <Button kind="quiet" onClick={() => onChange({})}>
          Show all
        </Button>
      )}
    </div>
  );
}

type Choice = readonly [value: string, label: string];
const stateChoices: readonly Choice[] = [
  ['', 'Not over'],
  ['open', 'Open'],
  ['acknowledged', 'Acknowledged'],
  ['cleared', 'Over'],
  ['any', 'All'],
];
const sourceChoices: readonly Choice[] = [
  ['', 'Anything'],
  ['rules', 'Rules'],
  ['hardware', 'Hardware'],
];
const mutedChoices: readonly Choice[] = [
  ['', 'Shown too'],
  ['not', 'Hidden'],
  ['only', 'Only these'],
];

function SeverityToggles({search, summary, onChange}: IssueFiltersProps) {
  const names = severityNames(search.severity);
  const toggle = (name: string) => {
    const next = new Set(names);
    if (!next.delete(name)) next.add(name);
    onChange({...search, severity: [...next].join(',')});
  };
  return (
    <div className="issue-severities" role="group" aria-label="Severity">
      {severities.map(([name, value, label]) => {
        const open = (summary?.counts ?? [])
          .filter(({severity}) => severity === value)
          .reduce((sum, count) => sum + count.open + count.acknowledged, 0);
        return (
          <Button
            key={name}
            icon={severityLook(value).icon}
            aria-pressed={names.has(name)}
            onClick={() => toggle(name)}
          >
            {label} {summary && <span className="count">{open}</span>}
          </Button>
        );
      })}
    </div>
  );
}
