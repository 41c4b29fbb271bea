import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {type Command, Option} from 'commander';
import {parseLimit} from './context.ts';

/** What lists that begin with the newest have in common. */
export type ListOptions = {
  readonly machine?: string;
  readonly since: string;
  readonly until: string;
  readonly limit: number;
};

export function addListOptions(command: Command): Command {
  return command
    .option('--machine <machine>', 'only those of this machine')
    .option('--since <when>', 'a duration back from now ("90m", "7d") or a time', '')
    .option('--until <when>', 'before then, in the same words', '')
    .option('--limit <n>', 'at most this many', parseLimit, 50);
}

export const operationStates: Readonly<Record<string, Operation_State>> = {
  queued: Operation_State.QUEUED,
  running: Operation_State.RUNNING,
  succeeded: Operation_State.SUCCEEDED,
  failed: Operation_State.FAILED,
  cancelled: Operation_State.CANCELLED,
};

/** One or more of the names of a table. */
export const choiceOption = (
  flags: string,
  description: string,
  names: Readonly<Record<string, unknown>>,
): Option => new Option(flags, description).choices(Object.keys(names));

/** What was chosen of the table; the option has refused all else. */
export const chosen = <Value>(
  names: Readonly<Record<string, Value>>,
  words: readonly string[] | undefined,
): Value[] => (words ?? []).flatMap(word => names[word] ?? []);
