import type {Command} from 'commander';
import type {Context} from './context.ts';
import {CommandError, exitStatus} from './exit-status.ts';

export type SearchOptions = {
  readonly filter?: string;
  readonly label?: readonly string[];
  readonly search?: string;
  readonly workspace?: string;
  readonly orderBy?: string;
};

/** For every command that lists machines. */
export function addSearchOptions(command: Command): Command {
  return command
    .option('--filter <filter>', 'only machines that meet it (docs/search.md)')
    .option('--label <assignment...>', 'only machines with KEY=VALUE, or with any value of KEY')
    .option('--workspace <workspace>', 'only machines of this workspace, by its name')
    .option('--search <name>', 'the filter and the order of a saved search')
    .option('--order-by <fields>', 'up to three fields, for example "hostname, create_time desc"');
}

/** All of them together. */
export async function searchOf(
  {clients}: Context,
  options: SearchOptions,
): Promise<{readonly filter: string; readonly orderBy: string}> {
  const saved = options.search
    ? (await clients.searches.getSearch({id: options.search})).search
    : undefined;
  const parts = [
    saved?.filter,
    options.filter,
    workspaceFilter(options),
    ...(options.label ?? []).map(labelFilter),
  ]
    .map(text => text?.trim() ?? '')
    .filter(text => text !== '');
  const filter = parts.length > 1 ? parts.map(text => `(${text})`).join(' AND ') : parts.join('');
  return {filter, orderBy: options.orderBy ?? saved?.orderBy ?? ''};
}

const workspaceFilter = ({workspace}: SearchOptions): string =>
  workspace === undefined ? '' : `workspace = ${quote(workspace)}`;

function labelFilter(assignment: string): string {
  const {key, value} = splitLabel(assignment);
  return value === undefined ? `labels.${quote(key)}:*` : `labels.${quote(key)} = ${quote(value)}`;
}

export function splitLabel(assignment: string): {
  readonly key: string;
  readonly value: string | undefined;
} {
  const [, key, value] = /^([^=]+)(?:=(.*))?$/s.exec(assignment) ?? [];
  if (!key)
    throw new CommandError(`Cannot read label "${assignment}": say KEY=VALUE`, exitStatus.usage);
  return {key, value};
}

export const quote = (text: string): string => `"${text.replaceAll(/["\\*]/g, String.raw`\$&`)}"`;
