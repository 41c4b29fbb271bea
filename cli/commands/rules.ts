import {type Rule, Rule_DecisionSchema, RuleSchema} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import type {Command} from 'commander';
import {
  addBootProfileOptions,
  type BootProfileOptions,
  changedBootProfile,
  describeBootProfile,
} from '../boot-profile-options.ts';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {clock, type Column, nameOf, type Output} from '../output.ts';
import {changedUses, type TemplateOptions} from '../template-options.ts';
import {addRuleQuestions} from './rule-questions.ts';

type RuleOptions = BootProfileOptions &
  TemplateOptions & {
    readonly name?: string;
    readonly description?: string;
    readonly priority?: number;
    readonly disable?: boolean;
    readonly enable?: boolean;
    readonly condition?: string;
    readonly decision?: string;
    readonly group?: string;
    readonly label?: readonly string[];
  };

/** `muster rules …` */
export function addRuleCommands(program: Command): void {
  const rules = program
    .command('rules')
    .description('discovery rules: what becomes of machines that report for the first time')
    .addHelpText(
      'after',
      '\nA rule is named by its id or its name. docs/discovery.md says when rules count.',
    );
  rules
    .command('list')
    .description('list rules in the order in which they are asked')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster rules list')
    .action(list);
  rules
    .command('get <rule>')
    .description('show one rule')
    .addHelpText('after', '\nExample: muster rules get storage')
    .action(get);
  addRuleOptions(rules.command('create <name>').description('make a rule'))
    .addHelpText(
      'after',
      `
Example: muster rules create storage --condition 'hardware.disk_count >= 12' --decision accept --group storage --label tier=cold
Example: muster rules create laptops --priority 10 --condition 'product:latitude OR product:thinkpad' --decision reject`,
    )
    .action(create);
  addRuleOptions(rules.command('update <rule>').description('change a rule'))
    .option('--name <name>', 'another name')
    .option('--enable', 'let a disabled rule count again')
    .addHelpText('after', '\nExample: muster rules update storage --priority 20 --disable')
    .action(update);
  rules
    .command('delete <rule>')
    .description('remove a rule; what it gave to machines stays with them')
    .addHelpText('after', '\nExample: muster rules delete storage')
    .action(remove);
  addRuleQuestions(rules);
}

const addRuleOptions = (command: Command): Command =>
  addBootProfileOptions(
    command
      .option('--description <text>', 'free text')
      .option('--priority <n>', 'the highest is asked first (default: 0)', parsePriority)
      .option('--disable', 'keep it, but let it do nothing')
      .option('--condition <filter>', 'which machines; without, every machine')
      .option('--decision <decision>', 'accept, hold, reject or none')
      .option('--group <group>', 'put the machine into this group; empty: into none')
      .option('--label <assignment...>', 'KEY=VALUE, in place of those before')
      .option('--template <name...>', 'templates of its NixOS system, as NAME or NAME@VERSION')
      .option('--no-templates', 'no templates any more')
      .option('--parameter <assignment...>', 'TEMPLATE.PARAMETER=VALUE'),
  );

const columns: readonly Column<Rule>[] = [
  {title: 'PRIORITY', value: ({priority}) => String(priority)},
  {title: 'NAME', value: ({name}) => name},
  {title: 'COUNTS', value: ({disabled}) => (disabled ? 'no' : 'yes')},
  {title: 'DECISION', value: ({decision}) => nameOf(Rule_DecisionSchema, decision)},
  {title: 'GIVES', value: gives},
  {title: 'CONDITION', value: ({condition}) => condition || 'every machine'},
];

const labelsOf = ({labels}: Rule): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');

function gives(rule: Rule): string {
  const {group, templates, bootProfile} = rule;
  return [
    group ? `group ${group}` : '',
    labelsOf(rule),
    templates.map(({name}) => name).join(' '),
    bootProfile ? 'boot profile' : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function show(out: Output, rule: Rule | undefined): void {
  assertAnswered(rule);
  if (out.json) return out.document(RuleSchema, rule);
  out.record({
    id: rule.id,
    name: rule.name,
    description: rule.description,
    priority: String(rule.priority),
    counts: rule.disabled ? 'no: disabled' : 'yes',
    condition: rule.condition || 'every machine',
    decision: nameOf(Rule_DecisionSchema, rule.decision),
    group: rule.group,
    labels: labelsOf(rule),
    templates: rule.templates.map(({name}) => name).join(' '),
    'boot profile': describeBootProfile(rule.bootProfile),
    created: clock(rule.createTime),
    changed: clock(rule.updateTime),
  });
}

async function list({limit}: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const rules = await collectPages(context, limit, async page => {
    const answer = await context.clients.rules.listRules(page);
    return {rows: answer.rules, nextPageToken: answer.nextPageToken};
  });
  context.out.list(RuleSchema, columns, rules);
}

async function get(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  show(out, (await clients.rules.getRule({id})).rule);
}

async function create(name: string, options: RuleOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const rule = {...(await fieldsOf(command, options, undefined)), name};
  show(out, (await clients.rules.createRule({rule})).rule);
}

async function update(id: string, options: RuleOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const fields = await fieldsOf(command, options, id);
  const paths = Object.keys(fields).map(key =>
    key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
  );
  if (paths.length === 0)
    throw new CommandError(
      'Cannot update a rule without a change: --help lists what can be changed',
      exitStatus.usage,
    );
  const answer = await clients.rules.updateRule({rule: {...fields, id}, updateMask: {paths}});
  show(out, answer.rule);
}

async function remove(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.rules.deleteRule({id});
  if (!out.json) out.line(`Deleted rule ${id}`);
}

/** `id` is the rule that is changed, if there is one. */
async function fieldsOf(command: Command, options: RuleOptions, id: string | undefined) {
  const context = contextOf(command);
  const {name, description, priority, condition, decision, group, label} = options;
  const before = id === undefined ? undefined : (await context.clients.rules.getRule({id})).rule;
  const templates = await changedUses(context, options, () =>
    Promise.resolve(before?.templates ?? []),
  );
  const bootProfile = changedBootProfile(before?.bootProfile, options);
  return {
    ...(name !== undefined && {name}),
    ...(description !== undefined && {description}),
    ...(priority !== undefined && {priority}),
    ...((options.disable || options.enable) && {disabled: options.disable === true}),
    ...(condition !== undefined && {condition}),
    ...(decision !== undefined && {decision: parseDecision(decision)}),
    ...(group !== undefined && {group}),
    ...(label !== undefined && {labels: parseLabels(label)}),
    ...(templates !== undefined && {templates: [...templates]}),
    ...(bootProfile !== undefined && {bootProfile}),
  };
}

export function parsePriority(text: string): number {
  const priority = Number(text);
  if (!/^-?\d{1,7}$/.test(text) || Math.abs(priority) > 1_000_000)
    throw new CommandError(
      `Cannot use --priority "${text}": say a whole number from -1000000 to 1000000`,
      exitStatus.usage,
    );
  return priority;
}

function parseDecision(text: string) {
  const found = Rule_DecisionSchema.values.find(
    ({localName, number}) => number > 0 && localName.toLowerCase() === text.toLowerCase(),
  );
  if (!found)
    throw new CommandError(
      `Cannot decide "${text}": say accept, hold, reject or none`,
      exitStatus.usage,
    );
  return found.number as Rule['decision'];
}

function parseLabels(assignments: readonly string[]): Record<string, string> {
  const labels = assignments
    .filter(text => text !== '')
    .map((text): [string, string] => {
      const [, key, value = ''] = /^([^=]+)=([^]*)$/.exec(text) ?? [];
      if (key === undefined)
        throw new CommandError(`Cannot set label "${text}": say KEY=VALUE`, exitStatus.usage);
      return [key, value];
    });
  return Object.fromEntries(labels);
}
