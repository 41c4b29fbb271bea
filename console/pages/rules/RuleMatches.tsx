import type {TestRuleResponse} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {Skeleton} from '../../ui/blocks.tsx';
import {formatCount, formatTotal} from '../../ui/format.ts';
import {MachineSample} from '../machines/MachineSample.tsx';

/** "Would match 14, of which 3 wait", and some of them. */
export function RuleMatches({
  matches,
  isOld,
}: {
  readonly matches: TestRuleResponse | undefined;
  readonly isOld: boolean;
}) {
  if (!matches) return <Skeleton lines={2} />;
  const {matchCount, estimated, waitingCount, sample} = matches;
  return (
    <div aria-busy={isOld || undefined}>
      <p className="match-count" role="status">
        <span>
          Would match <strong>{formatTotal(matchCount, estimated)}</strong>
        </span>
        <span className="muted">
          {matchCount === 0n
            ? 'No machine that is known meets it'
            : `of which ${formatCount(waitingCount)} ${waitingCount === 1n ? 'waits' : 'wait'}`}
        </span>
      </p>
      <MachineSample machines={sample} total={matchCount} />
    </div>
  );
}
