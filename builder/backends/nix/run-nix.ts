import {type ProgramOptions, runToEnd} from '../../process.ts';
import type {NixEnvironment} from './environment.ts';
import {type NixEvent, type NixMessage, parseNixLine} from './internal-json.ts';

export type NixEnd = {
  /** Undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signalName: string | undefined;
  /** Standard output. */
  readonly output: string;
  /** Messages of level 0; the last one is why it failed. */
  readonly errors: readonly NixMessage[];
  /** The last lines that were no JSON. */
  readonly texts: readonly string[];
};

const errorsMax = 64;
const textsMax = 40;

export type NixOptions = Pick<
  ProgramOptions,
  'signal' | 'offline' | 'addressSpaceBytesMax' | 'deathSignal' | 'killStepMs'
> & {
  readonly variables?: Readonly<Record<string, string>>;
  readonly onEvent?: (event: NixEvent) => void;
};

/** Runs a program of Nix with structured messages, to its end, whatever that is. Throws only when the signal aborts. */
export async function runNix(
  environment: NixEnvironment,
  [program, ...args]: readonly [program: string, ...args: string[]],
  {variables, onEvent, ...options}: NixOptions,
): Promise<NixEnd> {
  const errors: NixMessage[] = [];
  const texts: string[] = [];
  const onErrorLine = (line: string) => {
    const event = parseNixLine(line);
    if (event.action === 'message' && event.level === 0 && errors.length < errorsMax)
      errors.push(event);
    if (event.action === 'text' && texts.push(event.text) > textsMax) texts.shift();
    onEvent?.(event);
  };
  const end = await runToEnd(program, [...args, '--log-format', 'internal-json'], {
    ...options,
    env: {...environment.variables, ...variables},
    onErrorLine,
  });
  return {status: end.status, signalName: end.signalName, output: end.output, errors, texts};
}

/** What went wrong, in Nix's own words. */
export const lastWords = ({errors, texts, status, signalName}: NixEnd): string =>
  errors.at(-1)?.text.trim() ||
  texts.at(-1)?.trim() ||
  (signalName ? `it ended by signal ${signalName}` : `it ended with status ${status}`);
