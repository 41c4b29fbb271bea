import {type Rule, RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useOperateReason} from '../../api/caller.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {ButtonLink, IconButton} from '../../ui/Button.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {BackLink, DetailHeader, Item, ItemList, SplitPage} from '../../ui/SplitPage.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {MachinePicker} from '../machines/MachinePicker.tsx';
import {ApplyButton} from '../pending/PendingDetail.tsx';
import {decisionLook} from './rule-looks.ts';
import {RuleDetail} from './RuleDetail.tsx';
import {RuleEditor} from './RuleEditor.tsx';
import {RuleExplanations} from './RuleExplanations.tsx';
import {useMoveRule} from './use-move-rule.ts';
import './rules.css';

/** There are 200 at most. */
const pageSize = 1000;

/** Discovery rules, in the order in which they are asked. */
export function RulesPage() {
  const {rule: name, mode, machine} = useSearch({from: '/shell/rules'});
  const {data, error, refetch} = useQuery(RuleService.method.listRules, {pageSize});
  const rules = data?.rules;
  const openKey = name ?? mode ?? (machine === undefined ? undefined : 'explain');
  return (
    <SplitPage
      title="Rules"
      beside={<span className="muted">the first that matches and decides counts</span>}
      actions={<PageActions />}
      openKey={openKey}
      list={
        rules ? (
          <RuleList rules={rules} openName={name} />
        ) : (
          <Loading error={error} refetch={refetch} attempt="load the rules" lines={8} />
        )
      }
    >
      <Opened rules={rules} />
    </SplitPage>
  );
}

function PageActions() {
  const reason = useOperateReason();
  return (
    <>
      <ButtonLink to="/rules" search={{mode: 'explain'}} icon="question">
        Explain a machine
      </ButtonLink>
      <ApplyButton machineId="" />
      {reason === undefined && (
        <ButtonLink to="/rules" search={{mode: 'new'}} kind="primary" icon="plus">
          New rule
        </ButtonLink>
      )}
    </>
  );
}

function Opened({rules}: {readonly rules: readonly Rule[] | undefined}) {
  const {rule: name, mode} = useSearch({from: '/shell/rules'});
  if (mode === 'new') return <RuleEditor key="new" rule={undefined} />;
  if (name === undefined) return <Explain isOpened={mode === 'explain'} />;
  if (!rules) return <Skeleton lines={6} />;
  const rule = rules.find(
    rule => rule.name.toLowerCase() === name.toLowerCase() || rule.id === name,
  );
  if (!rule)
    return (
      <EmptyState icon="question" title={`No rule is called “${name}”`}>
        <p>It may have been renamed or deleted.</p>
        <ButtonLink to="/rules">All rules</ButtonLink>
      </EmptyState>
    );
  return mode === 'edit' ? (
    <RuleEditor key={rule.id} rule={rule} />
  ) : (
    <RuleDetail key={rule.id} rule={rule} />
  );
}

function RuleList({
  rules,
  openName,
}: {
  readonly rules: readonly Rule[];
  readonly openName: string | undefined;
}) {
  const {move, isPending} = useMoveRule(rules);
  const reason = useOperateReason();
  if (rules.length === 0)
    return (
      <EmptyState icon="rule" title="No rules yet">
        <p>
          A rule decides by what a machine is: let it in, hold it, turn it away; put it into a
          group, give it labels. Without one the acceptance policy alone decides.
        </p>
        <p>
          <code>muster rules create NAME --condition FILTER</code>
        </p>
      </EmptyState>
    );
  return (
    <ItemList label="Rules, in the order in which they are asked">
      {rules.map((rule, index) => (
        <li key={rule.id} className="rule-row" data-disabled={rule.disabled || undefined}>
          <RuleItem rule={rule} isOpen={rule.name === openName} />
          <span className="rule-moves">
            <IconButton
              icon="up"
              label={`Ask ${rule.name} earlier`}
              disabledReason={index === 0 ? 'It is the first' : reason}
              busy={isPending}
              onClick={() => void move(index, index - 1)}
            />
            <IconButton
              icon="down"
              label={`Ask ${rule.name} later`}
              disabledReason={index === rules.length - 1 ? 'It is the last' : reason}
              busy={isPending}
              onClick={() => void move(index, index + 1)}
            />
          </span>
        </li>
      ))}
    </ItemList>
  );
}

const RuleItem = ({rule, isOpen}: {readonly rule: Rule; readonly isOpen: boolean}) => (
  <Item
    to="/rules"
    search={{rule: rule.name}}
    item={rule.name}
    isOpen={isOpen}
    name={rule.name}
    beside={<Badge look={decisionLook(rule.decision)} />}
  >
    <span>priority {rule.priority}</span>
    {rule.disabled && <span>disabled</span>}
    <span className="mono">{rule.condition || 'every machine'}</span>
  </Item>
);

/** Why a machine is where it is. */
function Explain({isOpened}: {readonly isOpened: boolean}) {
  const {machine} = useSearch({from: '/shell/rules'});
  const navigate = useNavigate();
  return (
    <>
      {(isOpened || machine !== undefined) && (
        <DetailHeader
          title="What do the rules say?"
          back={<BackLink to="/rules">All rules</BackLink>}
        />
      )}
      <Card title="Explain a machine">
        <div className="explanations">
          <MachinePicker
            label="Machine to explain"
            onPick={({id}) => void navigate({to: '/rules', search: {mode: 'explain', machine: id}})}
          />
          {machine === undefined ? (
            <p className="muted">
              Each rule in its order: whether it matches, which part of its condition kept it from
              matching, and what all of them say together.
            </p>
          ) : (
            <RuleExplanations machineId={machine} />
          )}
        </div>
      </Card>
    </>
  );
}
