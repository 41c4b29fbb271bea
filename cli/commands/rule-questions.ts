import {
  ApplyRulesResponseSchema,
  ExplainRulesResponseSchema,
  Rule_Decision,
  Rule_DecisionSchema,
  type RuleExplanation,
  TestRuleResponseSchema,
} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import type {Command} from 'commander';
import {contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {machineColumns} from '../machine-view.ts';
import {clock, type Column, nameOf} from '../output.ts';

/** `muster rules test`, `explain`, `apply` */
export function addRuleQuestions(rules: Command): void {
  rules
    .command('test [rule]')
    .description('dry run: which of the known machines a rule, or a condition, would match')
    .option('--condition <filter>', 'in place of a rule')
    .option('--limit <n>', 'machines to show', parseLimit, 10)
    .addHelpText(
      'after',
      `
Example: muster rules test storage
Example: muster rules test --condition 'hardware.disk_count >= 12 AND state = PENDING'`,
    )
    .action(test);
  rules
    .command('explain <machine>')
    .description('for one machine: of each rule whether it matches and why, and what comes of it')
    .addHelpText('after', '\nExample: muster rules explain ABC1234')
    .action(explain);
  rules
    .command('apply [machine]')
    .description('ask the rules again about a machine, or about all that wait')
    .addHelpText('after', '\nExample: muster rules apply')
    .action(apply);
}

async function test(
  ruleId: string | undefined,
  {condition, limit}: {readonly condition?: string; readonly limit: number},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  if ((ruleId === undefined) === (condition === undefined))
    throw new CommandError(
      'Cannot test nothing: name a rule, or give --condition',
      exitStatus.usage,
    );
  const answer = await clients.rules.testRule({
    ruleId: ruleId ?? '',
    condition: condition ?? '',
    sampleSize: Math.min(limit, 100),
  });
  if (out.json) return out.document(TestRuleResponseSchema, answer);
  const {matchCount, estimated, waitingCount, sample} = answer;
  out.line(`Would match ${estimated ? 'about ' : ''}${matchCount}, of which ${waitingCount} wait`);
  if (sample.length > 0) out.table(machineColumns, sample);
}

const columns: readonly Column<RuleExplanation>[] = [
  {title: 'PRIORITY', value: ({priority}) => String(priority)},
  {title: 'RULE', value: ({name, disabled}) => (disabled ? `${name} (disabled)` : name)},
  {title: 'MATCHES', value: ({matched}) => (matched ? 'yes' : 'no')},
  {title: 'WHY', value: ({reason}) => reason},
];

async function explain(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const machineId = await machineIdOf(context, name);
  const answer = await context.clients.rules.explainRules({machineId});
  const {out} = context;
  if (out.json) return out.document(ExplainRulesResponseSchema, answer);
  out.table(columns, answer.rules);
  const {verdict} = answer;
  const decided = verdict && verdict.decision !== Rule_Decision.NONE;
  out.record({
    decision: decided
      ? `${nameOf(Rule_DecisionSchema, verdict.decision)} by rule ${verdict.decisionRule}`
      : 'none: the acceptance policy decides',
    when: answer.reason,
    'applied last': answer.applyTime ? clock(answer.applyTime) : '',
    'decided then': answer.appliedDecisionRule ? `rule ${answer.appliedDecisionRule}` : '',
  });
  for (const {field, value, rule} of verdict?.gifts ?? [])
    out.line(`gives ${field} = ${value} (rule ${rule})`);
  for (const conflict of verdict?.conflicts ?? []) out.line(`conflict: ${conflict}`);
}

async function apply(name: string | undefined, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const machineId = name === undefined ? '' : await machineIdOf(context, name);
  const answer = await context.clients.rules.applyRules({machineId});
  if (context.out.json) return context.out.document(ApplyRulesResponseSchema, answer);
  const {machineCount, acceptedCount, rejectedCount, heldCount} = answer;
  context.out.line(
    `Asked about ${machineCount}: ${acceptedCount} accepted, ${rejectedCount} rejected, ${heldCount} wait`,
  );
}
