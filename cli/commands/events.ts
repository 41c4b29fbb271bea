import type {JsonObject, JsonValue} from '@bufbuild/protobuf';
import {type Event, EventSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {Command} from 'commander';
import {contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {clock, type Output} from '../output.ts';

const pageSizeMax = 1000;

/** `muster events …` */
export function addEventCommands(program: Command): void {
  const events = program.command('events').description('the journal: everything that happened');
  events
    .command('list')
    .description('list events, oldest first')
    .option('--after <position>', 'events after this position', parsePosition)
    .option('--machine <machine>', 'only those of this machine')
    .option('--limit <n>', 'at most this many', parseLimit, 100)
    .addHelpText('after', '\nExample: muster events list --machine ABC1234')
    .action(list);
  events
    .command('watch')
    .description('print events as they happen, until Ctrl-C')
    .option('--after <position>', 'replay from this position first; 0 replays all', parsePosition)
    .option('--machine <machine>', 'only those of this machine')
    .option('--type <prefix>', 'only types that begin so, for example machine.', '')
    .addHelpText('after', '\nExample: muster events watch --after 0 --type machine. --json')
    .action(watch);
}

async function list(
  options: {readonly after?: bigint; readonly machine?: string; readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out} = context;
  const machineId = options.machine ? await machineIdOf(context, options.machine) : '';
  const events: Event[] = [];
  let {after = 0n} = options;
  for (;;) {
    const pageSize = Math.min(options.limit - events.length, pageSizeMax);
    if (pageSize === 0) break;
    const page = (await clients.events.listEvents({after, machineId, pageSize})).events;
    events.push(...page);
    after = page.at(-1)?.position ?? after;
    if (page.length < pageSize) break;
  }
  if (out.json) return out.documents(EventSchema, events);
  for (const event of events) show(out, event);
}

async function watch(
  options: {readonly after?: bigint; readonly machine?: string; readonly type: string},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {clients, out, signal} = context;
  const request = {
    machineId: options.machine ? await machineIdOf(context, options.machine) : '',
    typePrefix: options.type,
    ...(options.after !== undefined && {after: options.after}),
  };
  try {
    for await (const {event} of clients.events.watchEvents(request, {signal})) {
      if (!event) continue;
      if (out.json) out.jsonLine(EventSchema, event);
      else show(out, event);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function show(out: Output, event: Event): void {
  const {position, time, type, actor, machineId, data} = event;
  const words = [String(position).padStart(6), clock(time), type.padEnd(28), actor];
  if (machineId && actor !== `agent:${machineId}`) words.push(`machine ${machineId}`);
  const fields = data ? describeData(data) : '';
  if (fields) words.push(fields);
  out.line(words.join('  '));
}

const describeData = (data: JsonObject): string =>
  Object.entries(data)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${isWord(value) ? value : JSON.stringify(value)}`)
    .join(' ');

const isWord = (value: JsonValue): value is string =>
  typeof value === 'string' && !/[\s"]/.test(value);

function parsePosition(text: string): bigint {
  if (!/^\d{1,18}$/.test(text))
    throw new CommandError(
      `Cannot use --after "${text}": say a position, a whole number`,
      exitStatus.usage,
    );
  return BigInt(text);
}
