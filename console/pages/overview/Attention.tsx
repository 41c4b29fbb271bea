import {
  Issue_Severity as Severity,
  Issue_SeveritySchema as SeveritySchema,
  IssueService,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link, type LinkProps} from '@tanstack/react-router';
import type {ReactNode} from 'react';
import {Card} from '../../ui/blocks.tsx';
import {formatCount} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {type Look, severityLook} from '../../ui/tones.ts';
import {useMachineCount} from './use-fleet.ts';

const issuesMax = 1000;
const severities = [Severity.CRITICAL, Severity.WARNING, Severity.INFO] as const;

const conditions: readonly (readonly [look: Look, filter: string])[] = [
  [{word: 'Stuck in their state', tone: 'bad', icon: 'warning'}, 'stuck = true'],
  [{word: 'Quarantined', tone: 'bad', icon: 'issue'}, 'quarantine_reason:*'],
  [
    {word: 'Active, but offline', tone: 'warn', icon: 'ring'},
    'state = ACTIVE AND presence = OFFLINE',
  ],
];

/** What somebody should look at, the worst first. */
export function Attention() {
  const {data} = useQuery(IssueService.method.listIssues, {pageSize: issuesMax});
  const isCut = data !== undefined && data.nextPageToken !== '';
  return (
    <Card title="Needs attention" flush>
      <ul className="rows">
        {severities.map(severity => {
          const look = severityLook(severity);
          const count = data?.issues.filter(issue => issue.severity === severity).length;
          return (
            <Line
              key={severity}
              look={{...look, word: `${look.word} issues`}}
              count={count}
              isLeast={isCut}
              link={{
                to: '/issues',
                search: {severity: SeveritySchema.value[severity]?.localName.toLowerCase()},
              }}
            />
          );
        })}
        <PendingLine />
        {conditions.map(([look, filter]) => (
          <ConditionLine key={filter} look={look} filter={filter} />
        ))}
      </ul>
    </Card>
  );
}

function PendingLine() {
  const found = useMachineCount('state = PENDING');
  return (
    <Line
      look={{word: 'Wait for acceptance', tone: 'warn', icon: 'pending'}}
      count={found?.count}
      link={{to: '/pending'}}
    />
  );
}

function ConditionLine({look, filter}: {readonly look: Look; readonly filter: string}) {
  const found = useMachineCount(filter);
  return <Line look={look} count={found?.count} link={{to: '/machines', search: {filter}}} />;
}

type LineProps = {
  readonly look: Look;
  readonly count: number | undefined;
  readonly isLeast?: boolean;
  readonly link: LinkProps;
};

function Line({look, count, isLeast = false, link}: LineProps): ReactNode {
  return (
    <li className={count === 0 ? 'tone-idle' : `tone-${look.tone}`}>
      <Icon name={count === 0 ? 'check' : look.icon} />
      <Link {...link} className="grow">
        {look.word}
      </Link>
      <span className={count === 0 ? 'number muted' : 'number'}>
        {count === undefined ? '…' : `${formatCount(count)}${isLeast ? '+' : ''}`}
      </span>
    </li>
  );
}
