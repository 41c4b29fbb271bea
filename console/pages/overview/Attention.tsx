import {BootSession_State as BootState} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Operation_State as BuildState} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {
  Issue_Severity as Severity,
  Issue_SeveritySchema as SeveritySchema,
  IssueService,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link, type LinkProps} from '@tanstack/react-router';
import type {ReactNode} from 'react';
import {Card} from '../../ui/blocks.tsx';
import {formatCount, formatCounted, formatTotal} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {type Look, severityLook} from '../../ui/tones.ts';
import {useBootCount} from '../boot/use-boot-count.ts';
import {useMachineCount} from './use-fleet.ts';

/** As the list of those that wait has it (docs/discovery.md). */
const waiting =
  '(state = PENDING OR quarantine_reason:*) AND NOT (state = REJECTED OR state = RETIRED)';
const lately = '24h';
const severities = [Severity.CRITICAL, Severity.WARNING, Severity.INFO] as const;

const conditions: readonly (readonly [look: Look, filter: string])[] = [
  [{word: 'Stuck in their state', tone: 'bad', icon: 'warning'}, 'stuck = true'],
  [{word: 'Quarantined', tone: 'bad', icon: 'issue'}, 'quarantine_reason:*'],
  [
    {word: 'Active, but offline', tone: 'warn', icon: 'ring'},
    'state = ACTIVE AND presence = OFFLINE',
  ],
];

/** What somebody should look at, the worst first. Each number is of the very list that its line leads to. */
export function Attention() {
  return (
    <Card title="Needs attention" flush>
      <ul className="rows">
        <IssueLines />
        <WaitingLine />
        {conditions.map(([look, filter]) => (
          <ConditionLine key={filter} look={look} filter={filter} />
        ))}
        <FailureLines />
      </ul>
    </Card>
  );
}

function IssueLines() {
  const {data} = useQuery(IssueService.method.getIssueSummary, {});
  return severities.map(severity => {
    const look = severityLook(severity);
    const counts = data?.summary?.counts.filter(count => count.severity === severity);
    return (
      <Line
        key={severity}
        look={{...look, word: `${look.word} issues`}}
        count={counts?.reduce((sum, {open, acknowledged}) => sum + open + acknowledged, 0)}
        link={{
          to: '/issues',
          search: {
            severity: SeveritySchema.value[severity]?.localName.toLowerCase(),
            muted: 'not',
          },
        }}
      />
    );
  });
}

function WaitingLine() {
  const found = useMachineCount(waiting);
  return (
    <Line
      look={{word: 'Wait for a decision', tone: 'warn', icon: 'pending'}}
      count={found?.count}
      format={formatOf(found)}
      link={{to: '/pending'}}
    />
  );
}

function ConditionLine({look, filter}: {readonly look: Look; readonly filter: string}) {
  const found = useMachineCount(filter);
  return (
    <Line
      look={look}
      count={found?.count}
      format={formatOf(found)}
      link={{to: '/machines', search: {filter}}}
    />
  );
}

/** What went wrong lately; older failures are in the lists. */
function FailureLines() {
  const stalled = useBootCount([BootState.STALLED], lately);
  const {data} = useQuery(BuildService.method.listBuilds, {
    states: [BuildState.FAILED],
    since: lately,
    pageSize: 1,
    countTotal: true,
  });
  return (
    <>
      <Line
        look={{word: 'Boots stalled in 24 hours', tone: 'warn', icon: 'boot'}}
        count={stalled}
        format={formatCounted}
        link={{to: '/boot', search: {state: 'stalled', since: lately}}}
      />
      <Line
        look={{word: 'Builds failed in 24 hours', tone: 'warn', icon: 'build'}}
        count={data?.totalSize}
        format={formatCounted}
        link={{to: '/builds', search: {state: 'failed', since: lately}}}
      />
    </>
  );
}

/** Many machines are not counted one by one. */
const formatOf = (found: {readonly isEstimate: boolean} | undefined) => (count: number) =>
  formatTotal(count, found?.isEstimate);

type LineProps = {
  readonly look: Look;
  readonly count: number | undefined;
  readonly format?: (count: number) => string;
  readonly link: LinkProps;
};

function Line({look, count, format = formatCount, link}: LineProps): ReactNode {
  return (
    <li className={count === 0 ? 'tone-idle' : `tone-${look.tone}`}>
      <Icon name={count === 0 ? 'check' : look.icon} />
      <Link {...link} className="grow">
        {look.word}
      </Link>
      <span className={count === 0 ? 'number muted' : 'number'}>
        {count === undefined ? '…' : format(count)}
      </span>
    </li>
  );
}
