import type {
  ExplainRulesResponse,
  RuleExplanation,
  RuleExplanation_Part as Part,
  RuleVerdict,
} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {Rule_Decision as Decision, RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Badge} from '../../ui/Badge.tsx';
import {Icon} from '../../ui/icons.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {Notice} from '../../ui/states.tsx';
import {decisionLook} from './rule-looks.ts';
import './rules.css';

/** What the rules say about one machine, and why. */
export function RuleExplanations({machineId}: {readonly machineId: string}) {
  const {data, error, refetch} = useQuery(RuleService.method.explainRules, {machineId});
  if (!data) return <Loading error={error} refetch={refetch} attempt="ask the rules" lines={4} />;
  return (
    <div className="explanations">
      <Verdict answer={data} />
      {data.rules.length === 0 ? (
        <p className="muted">
          There are no rules: the acceptance policy decides.{' '}
          <Link to="/rules" search={{mode: 'new'}}>
            Make one
          </Link>
        </p>
      ) : (
        <ol className="rule-explanations">
          {data.rules.map(rule => (
            <Explanation key={rule.ruleId} rule={rule} />
          ))}
        </ol>
      )}
    </div>
  );
}

function Verdict({answer}: {readonly answer: ExplainRulesResponse}) {
  const {verdict, reason, applyTime, appliedDecisionRule} = answer;
  const isDecided = verdict !== undefined && verdict.decision > Decision.NONE;
  return (
    <>
      <p className="verdict">
        {isDecided ? (
          <>
            <Badge look={decisionLook(verdict.decision)} /> by{' '}
            <Link to="/rules" search={{rule: verdict.decisionRule}}>
              {verdict.decisionRule}
            </Link>
          </>
        ) : (
          <>
            <Badge look={decisionLook(Decision.NONE)} /> of a rule: the acceptance policy decides
          </>
        )}
      </p>
      {reason && <p>{reason}</p>}
      {applyTime && (
        <p className="muted">
          Asked last <RelativeTime time={applyTime} />
          {appliedDecisionRule && `; ${appliedDecisionRule} decided then`}
        </p>
      )}
      {verdict && <Gifts verdict={verdict} />}
    </>
  );
}

function Gifts({verdict: {gifts, conflicts}}: {readonly verdict: RuleVerdict}) {
  return (
    <>
      {gifts.length > 0 && (
        <ul className="gifts" aria-label="What it would be given">
          {gifts.map(({field, value, rule}) => (
            <li key={`${field} ${value}`}>
              <span className="muted">{field}</span> <code>{value}</code>{' '}
              <span className="muted">by {rule}</span>
            </li>
          ))}
        </ul>
      )}
      {conflicts.length > 0 && (
        <Notice tone="warn" icon="warning">
          <strong>Rules disagree</strong>
          <ul>
            {conflicts.map(conflict => (
              <li key={conflict}>{conflict}</li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}

function Explanation({rule}: {readonly rule: RuleExplanation}) {
  const {name, priority, matched, disabled, parts, reason} = rule;
  return (
    <li data-matched={matched}>
      <span className="explanation-mark">
        <Icon name={matched ? 'check' : 'cross'} />
        <span className="visually-hidden">{matched ? 'Matches' : 'Does not match'}</span>
      </span>
      <div>
        <Link to="/rules" search={{rule: name}}>
          {name}
        </Link>{' '}
        <span className="muted">
          priority {priority}
          {disabled && ' · disabled'}
        </span>
        {parts.length === 0 ? (
          <p className="explanation-reason">{reason}</p>
        ) : (
          <ul className="parts">
            {parts.map(part => (
              <ConditionPart key={part.text} part={part} />
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}

const ConditionPart = ({part: {text, met, actual}}: {readonly part: Part}) => (
  <li className={met ? 'tone-ok' : 'tone-bad'}>
    <Icon name={met ? 'check' : 'cross'} size={12} />
    <code>{text}</code>
    <span className="muted">{actual === '' ? 'it has nothing there' : `it has ${actual}`}</span>
  </li>
);
