import {type JsonObject, toJson} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type AuditEntry,
  AuditEntry_Outcome,
  AuditEntry_OutcomeSchema,
  AuditEntrySchema,
  VerifyAuditResponseSchema,
} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {clock, type Column, nameOf} from '../output.ts';

type Filter = {
  readonly actor: string;
  readonly resource: string;
  readonly outcome?: AuditEntry_Outcome;
  readonly since?: Date;
  readonly until?: Date;
};

const columns: readonly Column<AuditEntry>[] = [
  {title: 'POSITION', value: entry => String(entry.position)},
  {title: 'TIME', value: entry => clock(entry.time)},
  {title: 'ACTOR', value: entry => entry.actor},
  {title: 'FROM', value: entry => entry.address},
  {title: 'WHAT', value: entry => [entry.method, entry.action].filter(Boolean).join(' → ')},
  {title: 'RESOURCE', value: entry => entry.resource},
  {title: 'OUTCOME', value: describeOutcome},
];

/** `muster audit …` */
export function addAuditCommands(program: Command): void {
  const audit = program
    .command('audit')
    .description('who did what, from where, and what came of it');
  addFilter(audit.command('list').description('list entries, newest first'))
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster audit list --actor user:alice --outcome refused')
    .action(list);
  audit
    .command('verify')
    .description('walk the whole chain; says the first entry that is not as it was written')
    .option(
      '--known <position:hash>',
      'what an earlier verify printed: the chain must still go through it',
      parseKnown,
    )
    .addHelpText('after', '\nExample: muster audit verify --known 1204:9f86d0…')
    .action(verify);
  addFilter(audit.command('export').description('print entries as JSON lines, oldest first'))
    .option('--after <position>', 'entries after this position', parsePosition)
    .addHelpText('after', '\nExample: muster audit export --since 2026-01-01 > audit.jsonl')
    .action(exportLines);
}

const addFilter = (command: Command): Command =>
  command
    .option('--actor <actor>', 'only what this one did, for example user:alice', '')
    .option('--resource <resource>', 'only what was done to machines/<id>, or to all machines/', '')
    .option('--outcome <outcome>', 'ok, refused or failed', parseOutcome)
    .option('--since <time>', 'from this time on, for example 2026-07-01T12:00:00Z', parseTime)
    .option('--until <time>', 'before this time', parseTime);

const toRequest = ({actor, resource, outcome, since, until}: Filter) => ({
  actor,
  resource,
  ...(outcome !== undefined && {outcome}),
  ...(since && {startTime: timestampFromDate(since)}),
  ...(until && {endTime: timestampFromDate(until)}),
});

async function list(options: Filter & {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const entries = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.audit.listAudit({...toRequest(options), ...page});
    return {rows: answer.entries, nextPageToken: answer.nextPageToken};
  });
  context.out.list(AuditEntrySchema, columns, entries);
}

async function verify(
  options: {readonly known?: {readonly knownPosition: bigint; readonly knownHash: string}},
  command: Command,
): Promise<void> {
  const {clients, out, remark, signal} = contextOf(command);
  for await (const step of clients.audit.verifyAudit(options.known ?? {}, {signal})) {
    const {checked, headPosition, done, firstBreak, headHash, truncatedPosition} = step;
    if (out.json) out.jsonLine(VerifyAuditResponseSchema, step);
    if (!done) {
      if (checked % 100_000n === 0n && checked > 0n)
        remark(`${checked} of ${headPosition} checked`);
      continue;
    }
    if (firstBreak)
      throw new CommandError(
        `The audit is broken at ${firstBreak.position}: ${firstBreak.reason}. ${checked} entries before it are whole`,
      );
    if (out.json) return;
    const begin = truncatedPosition > 0n ? ` after ${truncatedPosition}, which retention took` : '';
    out.line(`The audit is whole: ${checked} entries${begin}, the last is ${headPosition}`);
    out.line(`Note this elsewhere, and hold the chain against it later:`);
    out.line(`  muster audit verify --known ${headPosition}:${headHash}`);
    return;
  }
  throw new CommandError('The server ended the walk without a verdict; try again');
}

async function exportLines(
  options: Filter & {readonly after?: bigint},
  command: Command,
): Promise<void> {
  const {clients, out, signal} = contextOf(command);
  const request = {...toRequest(options), after: options.after ?? 0n};
  for await (const {entry} of clients.audit.exportAudit(request, {signal})) {
    if (!entry) continue;
    out.line(JSON.stringify(toLine(entry)));
  }
}

/** The same line as GET /api/v1/audit/export gives: what the hash is computed over. */
function toLine(entry: AuditEntry): JsonObject {
  const options = {useProtoFieldName: true, alwaysEmitImplicit: true} as const;
  const json = toJson(AuditEntrySchema, entry, options) as JsonObject;
  const outcome = nameOf(AuditEntry_OutcomeSchema, entry.outcome).toLowerCase();
  return {...json, position: Number(entry.position), outcome};
}

function describeOutcome({outcome, code, count, error}: AuditEntry): string {
  const name = nameOf(AuditEntry_OutcomeSchema, outcome).toLowerCase();
  const times = count > 1 ? ` × ${count}` : '';
  if (outcome === AuditEntry_Outcome.OK) return `${name}${times}`;
  return `${name}${times} (${code})${error ? `: ${error}` : ''}`;
}

const outcomes: ReadonlyMap<string, AuditEntry_Outcome> = new Map([
  ['ok', AuditEntry_Outcome.OK],
  ['refused', AuditEntry_Outcome.REFUSED],
  ['failed', AuditEntry_Outcome.FAILED],
]);

function parseOutcome(text: string): AuditEntry_Outcome {
  const outcome = outcomes.get(text);
  if (outcome !== undefined) return outcome;
  throw wrong('outcome', text, 'ok, refused or failed');
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw wrong('time', text, 'a time such as 2026-07-01T12:00:00Z');
  return time;
}

function parsePosition(text: string): bigint {
  if (!/^\d{1,15}$/.test(text)) throw wrong('--after', text, 'a position, a whole number');
  return BigInt(text);
}

function parseKnown(text: string) {
  const [, position, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (!position || !hash)
    throw wrong('--known', text, 'what "muster audit verify" printed, <position>:<hash>');
  return {knownPosition: BigInt(position), knownHash: hash};
}

const wrong = (what: string, text: string, expected: string): CommandError =>
  new CommandError(`Cannot use ${what} "${text}": say ${expected}`, exitStatus.usage);
