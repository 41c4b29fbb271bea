import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Rule as RuleMessage,
  Rule_Decision,
  RuleSchema,
} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {contractName, type Verdict} from '../domain/rule-verdict.ts';
import type {RuleExplanation} from '../domain/rules.ts';
import type {NamedRule, RuleDecision} from '../store/rules.ts';
import {toBootProfileMessage} from './boot-profile-messages.ts';
import {toMachineTemplateMessage} from './template-messages.ts';

const decisions: Readonly<Record<RuleDecision, Rule_Decision>> = {
  none: Rule_Decision.NONE,
  accept: Rule_Decision.ACCEPT,
  hold: Rule_Decision.HOLD,
  reject: Rule_Decision.REJECT,
};

/** Unspecified is none. */
export function fromDecision(value: Rule_Decision): RuleDecision {
  const known = Object.keys(decisions) as RuleDecision[];
  return known.find(name => decisions[name] === value) ?? 'none';
}

export function toRuleMessage(rule: NamedRule): RuleMessage {
  const {groupId: _, groupName, templates, bootProfile, createTime, updateTime, ...same} = rule;
  return create(RuleSchema, {
    ...same,
    group: groupName,
    decision: decisions[rule.decision],
    labels: {...rule.labels},
    templates: templates.map(toMachineTemplateMessage),
    ...(bootProfile ? {bootProfile: toBootProfileMessage(bootProfile)} : {}),
    createTime: timestampFromDate(createTime),
    updateTime: timestampFromDate(updateTime),
  });
}

export const toExplanationMessage = ({rule, matched, parts, reason}: RuleExplanation) => ({
  ruleId: rule.id,
  name: rule.name,
  priority: rule.priority,
  disabled: rule.disabled,
  matched,
  parts: parts.map(part => ({...part})),
  reason,
});

export function toVerdictMessage(verdict: Verdict) {
  const {decision, decisionRule, labels, groups, templates, bootProfile, conflicts} = verdict;
  const gifts = [
    ...groups.map(({rule, name}) => ({field: 'group', value: name, rule})),
    ...[...labels].map(([key, {rule, value}]) => ({field: `labels.${key}`, value, rule})),
    ...(templates
      ? [
          {
            field: 'templates',
            value: templates.templates.map(({name}) => name).join(' '),
            rule: templates.rule,
          },
        ]
      : []),
    ...bootProfile.map(({rule, field, value}) => ({
      field: `boot_profile.${contractName(field)}`,
      value: typeof value === 'string' ? value : value.join(' '),
      rule,
    })),
  ];
  return {decision: decisions[decision], decisionRule, gifts, conflicts: [...conflicts]};
}
