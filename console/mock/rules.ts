import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type ExplainRulesResponseSchema,
  Rule_Decision as Decision,
  type RuleSchema,
  RuleService,
} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import {mockMachine} from './machines.ts';
import type {MockNoun} from './transport.ts';

type RuleInit = MessageInitShape<typeof RuleSchema>;

const some = (): RuleInit[] => [
  {
    id: 'rule-1',
    name: 'storage',
    priority: 20,
    condition: 'hardware.disk_count >= 12',
    decision: Decision.HOLD,
    group: 'storage',
    labels: {tier: 'cold'},
  },
  {
    id: 'rule-2',
    name: 'laptops',
    priority: 10,
    condition: 'product:latitude',
    decision: Decision.REJECT,
  },
];

const explanation: MessageInitShape<typeof ExplainRulesResponseSchema> = {
  rules: [
    {
      ruleId: 'rule-1',
      name: 'storage',
      priority: 20,
      matched: false,
      reason: 'It does not match: hardware.disk_count >= 12 does not hold',
      parts: [{text: 'hardware.disk_count >= 12', met: false, actual: '2'}],
    },
    {ruleId: 'rule-3', name: 'rack', priority: 5, matched: true, reason: 'It matches'},
  ],
  verdict: {
    decision: Decision.ACCEPT,
    decisionRule: 'rack',
    gifts: [{field: 'labels.rack', value: 'r7', rule: 'rack'}],
  },
  reason: 'It waits: this would be done when it reports',
};

/** The condition "fail" is refused; "hardware.disk_count >= 12" meets 14, of which 3 wait. The name "taken" is. */
export const addRules: MockNoun = router => {
  let rules = some();
  const inOrder = () => rules.toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
  router.service(RuleService, {
    listRules: () => ({rules: inOrder()}),
    createRule({rule}) {
      if (rule?.name === 'taken')
        throw new ConnectError(
          'Cannot create rule "taken": the name is taken; choose another',
          Code.AlreadyExists,
        );
      const made = {...rule, $typeName: undefined, id: `rule-${rules.length + 1}`} as RuleInit;
      rules = [...rules, made];
      return {rule: made};
    },
    updateRule({rule, updateMask}) {
      const paths = new Set(updateMask?.paths);
      rules = rules.map(old => {
        if (old.id !== rule?.id || !rule) return old;
        if (paths.has('name')) return {...rule, $typeName: undefined} as RuleInit;
        const {priority, disabled} = rule;
        return {
          ...old,
          ...(paths.has('priority') && {priority}),
          ...(paths.has('disabled') && {disabled}),
        };
      });
      return {rule: rules.find(({id}) => id === rule?.id) ?? {}};
    },
    deleteRule({id}) {
      rules = rules.filter(rule => rule.id !== id);
      return {};
    },
    testRule({ruleId, condition}) {
      const text = condition || rules.find(({id}) => id === ruleId)?.condition || '';
      if (text === 'fail')
        throw new ConnectError(
          'Cannot read the filter at 1: "fail" is no field',
          Code.InvalidArgument,
        );
      const isDisks = text.includes('disk_count');
      return isDisks
        ? {matchCount: 14n, waitingCount: 3n, sample: [mockMachine(7), mockMachine(8)]}
        : {matchCount: 0n};
    },
    explainRules: () => explanation,
    applyRules: () => ({machineCount: 3, acceptedCount: 1, rejectedCount: 0, heldCount: 2}),
  });
};
