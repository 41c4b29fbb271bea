import {setTimeout as delay} from 'node:timers/promises';
import type {JsonObject, JsonValue} from '@bufbuild/protobuf';
import {Code, ConnectError} from '@connectrpc/connect';
import {
  type Event,
  EventSchema,
  type WatchEventsResponse,
} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {Command} from 'commander';
import {type Context, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus, isConnectionFailure} from '../exit-status.ts';
import {clock, type Output} from '../output.ts';

const pageSizeMax = 1000;
const reconnectMinMs = 250;
const reconnectMaxMs = 10_000;

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
    .option('--after <position>', 'replay what came after this position first', parsePosition)
    .option('--from <position>', 'replay from this position on first; 1 replays all', parsePosition)
    .option('--machine <machine>', 'only those of this machine')
    .option('--type <type...>', 'only these types; "machine." takes all that begin so', [])
    .option('--filter <filter>', 'only those that meet it, as data.reason:timeout', '')
    .option('--no-reconnect', 'end when the connection breaks')
    .addHelpText(
      'after',
      `
Example: muster events watch --from 1 --type machine. --json
     and: muster events watch --filter 'type = *.failed AND -actor = system'
A broken connection is opened again where it broke. Positions that were missed (too slow, or gone from the journal) are told on standard
error.`,
    )
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

type WatchOptions = {
  readonly after?: bigint;
  readonly from?: bigint;
  readonly machine?: string;
  readonly type: readonly string[];
  readonly filter: string;
  readonly reconnect: boolean;
};

async function watch(options: WatchOptions, command: Command): Promise<void> {
  const context = contextOf(command);
  const {signal} = context;
  const {after, from} = options;
  const wanted = {
    machineId: options.machine ? await machineIdOf(context, options.machine) : '',
    types: [...options.type],
    filter: options.filter,
  };
  let last = after ?? (from === undefined ? undefined : from === 0n ? 0n : from - 1n);
  let waitMs = reconnectMinMs;
  while (!signal.aborted) {
    const request = {...wanted, ...(last === undefined ? {} : {after: last})};
    try {
      for await (const answer of context.clients.events.watchEvents(request, {signal})) {
        // A filter may have left out all since: what was shown is what counts.
        last = answer.position;
        waitMs = reconnectMinMs;
        showWatched(context, answer);
      }
      if (!options.reconnect) return;
    } catch (error) {
      if (signal.aborted) return;
      // Whoever was never connected has the wrong address rather than a broken connection.
      if (last === undefined || !options.reconnect || !isBroken(error)) throw error;
    }
    context.remark(`The connection broke: trying again after position ${last ?? 0n}`);
    await delay(waitMs, undefined, {signal}).catch(() => undefined);
    waitMs = Math.min(waitMs * 2, reconnectMaxMs);
  }
}

function showWatched({out, remark}: Context, {event, missed}: WatchEventsResponse): void {
  if (missed) remark(`Missed the events ${missed.from} to ${missed.to}: list what you keep again`);
  if (!event) return;
  if (out.json) out.jsonLine(EventSchema, event);
  else show(out, event);
}

/** The server or the way to it went away, and may come back. */
const isBroken = (error: unknown): boolean =>
  error instanceof ConnectError &&
  (isConnectionFailure(error) || error.code === Code.Unavailable || error.code === Code.Aborted);

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
      `Cannot use "${text}" as a position: say a whole number`,
      exitStatus.usage,
    );
  return BigInt(text);
}
