import {readFileSync} from 'node:fs';
import type {Command} from 'commander';
import {CommandError, exitStatus} from './exit-status.ts';

export type WebhookOptions = {
  readonly name?: string;
  readonly url?: string;
  readonly type?: readonly string[];
  readonly filter?: string;
  readonly template?: string;
  readonly contentType?: string;
  readonly header?: readonly string[];
  readonly attempts?: string;
  readonly enable?: boolean;
  readonly disable?: boolean;
};

export const addWebhookOptions = (command: Command): Command =>
  command
    .option('--type <type...>', 'event types; "machine." takes all that begin so; none: all')
    .option('--filter <filter>', 'only events that meet it, as in "muster events watch"')
    .option('--template <file>', 'file with the body and its placeholders; "-" is standard input')
    .option('--content-type <type>', 'of the body, for example text/plain')
    .option(
      '--header <name...>',
      'headers, in place of those before: NAME=@FILE takes the value from a file (@- from standard input), NAME keeps what it has',
    )
    .option('--attempts <n>', 'tries of a delivery until it is dead, 1 to 20');

/** The fields that were given, by the names of the contract. Values of headers are secrets and stand on no command line. */
export function fieldsOfWebhook(options: WebhookOptions) {
  const {name, url, type, filter, template, contentType, header, attempts} = options;
  return {
    ...(name !== undefined && {name}),
    ...(url !== undefined && {url}),
    ...(type !== undefined && {eventTypes: [...type]}),
    ...(filter !== undefined && {filter}),
    ...(template !== undefined && {template: readText(template)}),
    ...(contentType !== undefined && {contentType}),
    ...(header !== undefined && {headers: header.map(readHeader)}),
    ...(attempts !== undefined && {attemptsMax: parseAttempts(attempts)}),
    ...(options.enable === true && {enabled: true}),
    ...(options.disable === true && {enabled: false}),
  };
}

function readHeader(text: string) {
  const [, name = '', source] = /^([A-Za-z0-9-]+)(?:=(.*))?$/s.exec(text) ?? [];
  if (name === '') throw usage(`Cannot read header "${text.split('=')[0]}": write NAME=@FILE`);
  if (source === undefined) return {name, value: ''};
  if (source.startsWith('@')) return {name, value: readText(source.slice(1)).trimEnd()};
  throw usage(
    `Cannot set header "${name}": its value would be seen by everybody on this host; give ${name}=@FILE`,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw usage(`Cannot read "${path}": ${why}`);
  }
}

function parseAttempts(text: string): number {
  const attempts = Number(text);
  if (Number.isInteger(attempts) && attempts >= 1 && attempts <= 20) return attempts;
  throw usage(`Cannot use --attempts "${text}": say a number from 1 to 20`);
}

const usage = (sentence: string) => new CommandError(sentence, exitStatus.usage);
