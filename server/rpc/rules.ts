import type {ServiceImpl} from '@connectrpc/connect';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {Rule as RuleMessage, RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import type {RuleContent, Rules} from '../domain/rules.ts';
import {DomainError} from '../errors.ts';
import {fromBootProfileMessage} from './boot-profile-messages.ts';
import {callerKey} from './caller.ts';
import {type MachineView, toMachineMessage} from './machine-messages.ts';
import {type Changeable, pickChange, pickFields} from './pick-change.ts';
import {required} from './required.ts';
import {
  fromDecision,
  toExplanationMessage,
  toRuleMessage,
  toVerdictMessage,
} from './rule-messages.ts';
import {storable, storableLabels} from './storable.ts';
import {fromMachineTemplateMessage} from './template-messages.ts';

export const ruleService = (rules: Rules, view: MachineView): ServiceImpl<typeof RuleService> => ({
  async listRules(request) {
    const page = await rules.list(request);
    return {rules: page.rules.map(toRuleMessage), nextPageToken: page.nextPageToken};
  },

  async getRule({id}) {
    return {rule: toRuleMessage(await rules.get(id))};
  },

  async createRule({rule}, {values}) {
    const wanted = required(rule, 'a rule');
    if (wanted.name === '')
      throw new DomainError('invalid_argument', 'Cannot create a rule without a name: give one');
    const content = pickFields('rule', changeable, wanted, Object.keys(changeable)) as RuleContent;
    return {rule: toRuleMessage(await rules.create(values.get(callerKey).name, content))};
  },

  async updateRule({rule, updateMask}, {values}) {
    const wanted = required(rule, 'a rule');
    const change = pickChange('rule', changeable, wanted, updateMask?.paths ?? []);
    const changed = await rules.update(values.get(callerKey).name, wanted.id, change);
    return {rule: toRuleMessage(changed)};
  },

  async deleteRule({id}, {values}) {
    await rules.delete(values.get(callerKey).name, id);
    return {};
  },

  async testRule(request) {
    const {matching, waiting, sample} = await rules.test(request);
    return {
      matchCount: BigInt(matching.count),
      estimated: matching.estimated,
      waitingCount: BigInt(waiting),
      sample: sample.map(machine => toMachineMessage(machine, view)),
    };
  },

  async explainRules({machineId}) {
    const {rules: explained, verdict, reason, applied} = await rules.explain(machineId);
    return {
      rules: explained.map(toExplanationMessage),
      verdict: toVerdictMessage(verdict),
      reason,
      ...(applied?.applyTime ? {applyTime: timestampFromDate(applied.applyTime)} : {}),
      appliedDecisionRule: applied?.decisionRule ?? '',
    };
  },

  async applyRules({machineId}) {
    const applied = await rules.apply(machineId.toLowerCase());
    const count = (wanted: string) => applied.filter(one => one === wanted).length;
    return {
      machineCount: applied.length,
      acceptedCount: count('accepted'),
      rejectedCount: count('rejected'),
      heldCount: count('held'),
    };
  },
});

/** By the names of the contract. */
const changeable: Changeable<RuleMessage, Partial<RuleContent>> = {
  name: ({name}) => ({name}),
  description: ({description}) => ({description: storable(description, 'description')}),
  priority: ({priority}) => ({priority}),
  disabled: ({disabled}) => ({disabled}),
  condition: ({condition}) => ({condition: condition.trim()}),
  decision: ({decision}) => ({decision: fromDecision(decision)}),
  group: ({group}) => ({group}),
  labels: ({labels}) => ({labels: storableLabels(labels)}),
  templates: ({templates}) => ({templates: templates.map(fromMachineTemplateMessage)}),
  boot_profile: ({bootProfile}) => ({bootProfile: fromBootProfileMessage(bootProfile)}),
};
