import {type Search, SearchSchema} from '@muster/proto/gen/muster/v1/searches_pb.ts';
import type {Command} from 'commander';
import {contextOf} from '../context.ts';
import type {Column} from '../output.ts';

/** `muster searches …` */
export function addSearchCommands(program: Command): void {
  const searches = program
    .command('searches')
    .description('saved searches: filters to come back to, your own and everybody’s');
  searches
    .command('list')
    .description('list your searches and those of everybody')
    .addHelpText('after', '\nExample: muster searches list')
    .action(list);
  searches
    .command('save <name> <filter>')
    .description('keep a filter under a name, in place of the one before')
    .option('--order-by <fields>', 'and an order', '')
    .option('--shared', 'for everybody; takes an operator')
    .addHelpText(
      'after',
      `
Example: muster searches save big 'hardware.memory_bytes > 64G' --order-by hostname
Then:    muster machines list --search big`,
    )
    .action(save);
  searches
    .command('delete <search>')
    .description('forget a search')
    .addHelpText('after', '\nExample: muster searches delete big')
    .action(remove);
}

const columns: readonly Column<Search>[] = [
  {title: 'NAME', value: ({name}) => name},
  {title: 'OF', value: ({shared}) => (shared ? 'everybody' : 'you')},
  {title: 'FILTER', value: ({filter}) => filter},
  {title: 'ORDER', value: ({orderBy}) => orderBy},
];

async function list(_options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {searches} = await clients.searches.listSearches({});
  out.list(SearchSchema, columns, searches);
}

async function save(
  name: string,
  filter: string,
  {orderBy, shared = false}: {readonly orderBy: string; readonly shared?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const {search} = await clients.searches.saveSearch({search: {name, filter, orderBy, shared}});
  if (out.json && search) return out.document(SearchSchema, search);
  out.line(`Saved: muster machines list --search "${name}"`);
}

async function remove(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.searches.deleteSearch({id});
  if (!out.json) out.line(`Deleted search ${id}`);
}
