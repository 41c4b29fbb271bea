import {stdout} from 'node:process';

/** What the agent and `run` of runtime/ need of a log. */
export type Log = {
  readonly [L in Level]: (details: object, message: string) => void;
};

const levels = ['info', 'warn', 'error', 'fatal'] as const;
type Level = (typeof levels)[number];

const detailsLengthMax = 2000;

/**
 * One line each on standard output, which is the machine's console or the journal: a sentence that people can read, then the details
 * as JSON. Not runtime/log.ts: pino costs 5 MiB of resident memory on every machine, and a console is read by people first.
 */
export function createConsoleLog(write: (line: string) => void = line => stdout.write(line)): Log {
  const at = (level: Level) => (details: object, message: string) =>
    write(`muster-agent: ${prefix[level]}${message}${printDetails(details)}\n`);
  return {info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal')};
}

const prefix: Readonly<Record<Level, string>> = {
  info: '',
  warn: 'warning: ',
  error: 'error: ',
  fatal: 'fatal: ',
};

function printDetails(details: object): string {
  const entries = Object.entries(details).map(([key, value]) => [
    key,
    value instanceof Error ? describeError(value) : value,
  ]);
  if (entries.length === 0) return '';
  return ` ${JSON.stringify(Object.fromEntries(entries)).slice(0, detailsLengthMax)}`;
}

/** An error's message with its causes, without the stack: a console has 80 columns. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === '' ? error.name : error.message;
  return error.cause === undefined ? own : `${own}: ${describeError(error.cause)}`;
}
