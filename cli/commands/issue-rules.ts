import {
  type IssueRule,
  type IssueRule_Threshold,
  IssueRuleSchema,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import type {Command} from 'commander';
import {contextOf} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import {parseSeverity, severityOf} from '../issue-view.ts';
import {clock, type Column, type Output} from '../output.ts';

/** `muster issues rules`, `set-rule`, `mute-rule`, `unmute-rule` */
export function addIssueRuleCommands(issues: Command): void {
  issues
    .command('rules')
    .description('what the server looks for, with limits as they are set now')
    .addHelpText('after', '\nExample: muster issues rules')
    .action(rules);
  issues
    .command('set-rule <kind>')
    .description('change a rule')
    .option('--enable', 'look for it again')
    .option('--disable', 'look for it no more, and clear what is open')
    .option('--severity <severity>', 'info, warning or critical', parseSeverity)
    .option('--raise-after <duration>', 'how long it has to last, for example 10m', parseSeconds)
    .option('--clear-after <duration>', 'how long it has to be over', parseSeconds)
    .option('--window <duration>', 'in which time things are counted', parseSeconds)
    .option('--threshold <name>', 'which one, where the rule has several', '')
    .option('--raise-at <number>', 'from here on it is an issue', parseNumber)
    .option('--clear-at <number>', 'it stays one until the value is short of this', parseNumber)
    .option('--reset', 'first everything back to how it comes')
    .addHelpText(
      'after',
      '\nExample: muster issues set-rule temperature --raise-at 80 --clear-at 75 --severity critical',
    )
    .action(setRule);
  issues
    .command('mute-rule <kind>')
    .description('mute all issues of a kind, on every machine')
    .requiredOption('--for <duration>', 'how long, for example 8h or 7d')
    .requiredOption('--reason <text>', 'why, for the others')
    .addHelpText(
      'after',
      '\nExample: muster issues mute-rule offline --for 2h --reason "Power works in hall 2"',
    )
    .action(muteRule);
  issues
    .command('unmute-rule <kind>')
    .description('let them count again')
    .addHelpText('after', '\nExample: muster issues unmute-rule offline')
    .action(unmuteRule);
}

const columns: readonly Column<IssueRule>[] = [
  {title: 'KIND', value: ({kind}) => kind},
  {title: 'SEVERITY', value: severityOf},
  {title: 'RAISED AFTER', value: rule => after(rule, rule.raiseAfterSeconds)},
  {title: 'CLEARED AFTER', value: rule => after(rule, rule.clearAfterSeconds)},
  {title: 'LIMITS', value: ({thresholds}) => thresholds.map(limits).join(', ')},
  {title: 'STATE', value: stateOf},
  {title: 'TITLE', value: ({title}) => title},
];

async function rules(_options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const found = (await clients.issues.listIssueRules({})).rules;
  out.list(IssueRuleSchema, columns, found);
}

type RuleOptions = {
  readonly enable?: boolean;
  readonly disable?: boolean;
  readonly severity?: ReturnType<typeof parseSeverity>;
  readonly raiseAfter?: number;
  readonly clearAfter?: number;
  readonly window?: number;
  readonly threshold: string;
  readonly raiseAt?: number;
  readonly clearAt?: number;
  readonly reset?: boolean;
};

async function setRule(kind: string, options: RuleOptions, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {enable, disable, severity, raiseAfter, clearAfter, window} = options;
  const {threshold: name, raiseAt, clearAt, reset = false} = options;
  const limited = raiseAt !== undefined || clearAt !== undefined;
  const {rule} = await clients.issues.updateIssueRule({
    kind,
    reset,
    ...((enable || disable) && {enabled: enable === true}),
    ...(severity !== undefined && {severity}),
    ...(raiseAfter !== undefined && {raiseAfterSeconds: raiseAfter}),
    ...(clearAfter !== undefined && {clearAfterSeconds: clearAfter}),
    ...(window !== undefined && {windowSeconds: window}),
    thresholds: limited
      ? [
          {
            name,
            ...(raiseAt !== undefined && {raiseAt}),
            ...(clearAt !== undefined && {clearAt}),
          },
        ]
      : [],
  });
  print(out, rule);
}

async function muteRule(
  kind: string,
  {for: lasting, reason}: {readonly for: string; readonly reason: string},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  print(out, (await clients.issues.muteIssueRule({kind, duration: lasting, reason})).rule);
}

async function unmuteRule(kind: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  print(out, (await clients.issues.unmuteIssueRule({kind})).rule);
}

function print(out: Output, rule: IssueRule | undefined): void {
  assertAnswered(rule);
  if (out.json) return out.document(IssueRuleSchema, rule);
  out.record({
    kind: rule.kind,
    title: rule.title,
    severity: severityOf(rule),
    'raised after': after(rule, rule.raiseAfterSeconds),
    'cleared after': after(rule, rule.clearAfterSeconds),
    window: rule.windowSeconds > 0 ? duration(rule.windowSeconds) : '',
    limits: rule.thresholds.map(limits).join(', '),
    state: stateOf(rule),
    muted: rule.mute
      ? `until ${clock(rule.mute.expireTime)} by ${rule.mute.mutedBy}: ${rule.mute.reason}`
      : '',
    changed: rule.changed ? `${clock(rule.updateTime)} by ${rule.updatedBy}` : '',
  });
}

const after = ({source}: IssueRule, seconds: number): string =>
  source === 'hardware' ? 'the report' : duration(seconds);

const limits = ({name, unit, raiseAt, clearAt, below}: IssueRule_Threshold): string =>
  `${name} ${below ? '≤' : '≥'} ${raiseAt} ${unit}${clearAt === raiseAt ? '' : ` until ${below ? '>' : '<'} ${clearAt}`}`;

function stateOf({enabled, mute, changed}: IssueRule): string {
  const words = [enabled ? '' : 'off', mute ? 'muted' : '', changed ? 'changed' : ''];
  return words.filter(Boolean).join(', ');
}

/** "90s", "10m", "24h" */
function duration(seconds: number): string {
  for (const [unitSeconds, unit] of [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
  ] as const)
    if (seconds > 0 && seconds % unitSeconds === 0) return `${seconds / unitSeconds}${unit}`;
  return `${seconds}s`;
}

function parseSeconds(text: string): number {
  const units: Readonly<Record<string, number>> = {s: 1, m: 60, h: 3600, d: 86_400};
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitSeconds = units[unit];
  if (unitSeconds !== undefined) return Number(count) * unitSeconds;
  throw new CommandError(
    `Cannot read duration "${text}": use for example "90s", "10m", "24h" or "7d"`,
    exitStatus.usage,
  );
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number)) return number;
  throw new CommandError(`Cannot use "${text}": say a number`, exitStatus.usage);
}
