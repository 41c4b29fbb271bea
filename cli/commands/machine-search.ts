import {
  ListMachineFacetsResponseSchema,
  type MachineField,
  MachineField_TypeSchema,
  MachineFieldSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Command} from 'commander';
import {contextOf, machineIdOf} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {showMachine} from '../machine-view.ts';
import {type Column, nameOf} from '../output.ts';
import {addSearchOptions, type SearchOptions, searchOf, splitLabel} from '../search-options.ts';

/** `muster machines label`, `facets`, `fields` */
export function addMachineSearchCommands(machines: Command): void {
  machines
    .command('label <machine> <change...>')
    .description('set labels with KEY=VALUE, remove them with KEY-')
    .addHelpText('after', '\nExample: muster machines label ABC1234 rack=r7 row=w1 spare-')
    .action(label);
  addSearchOptions(
    machines.command('facets <field...>').description('count the machines by the values of fields'),
  )
    .addHelpText(
      'after',
      '\nExample: muster machines facets state product labels.rack --filter "hardware.memory_bytes > 64G"',
    )
    .action(facets);
  machines
    .command('fields')
    .description('list what a filter, an order and a facet may name')
    .addHelpText('after', '\nExample: muster machines fields')
    .action(fields);
}

async function label(
  name: string,
  changes: readonly string[],
  _options: object,
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const remove = changes
    .filter(change => change.endsWith('-') && !change.includes('='))
    .map(change => change.slice(0, -1));
  const set = changes
    .filter(change => change.includes('='))
    .map(splitLabel)
    .map(({key, value = ''}) => [key, value] as const);
  if (remove.length + set.length < changes.length)
    throw new CommandError(
      'Cannot change labels: say KEY=VALUE to set one, KEY- to remove one',
      exitStatus.usage,
    );
  const id = await machineIdOf(context, name);
  const answer = await context.clients.machines.labelMachine({
    id,
    set: Object.fromEntries(set),
    remove,
  });
  showMachine(context.out, answer.machine);
}

async function facets(
  names: readonly string[],
  options: SearchOptions,
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {out, clients} = context;
  const {filter} = await searchOf(context, options);
  const answer = await clients.machines.listMachineFacets({filter, fields: [...names]});
  if (out.json) return out.document(ListMachineFacetsResponseSchema, answer);
  const rows = answer.facets.flatMap(({field, values, more}) => [
    ...values.map(({value, count}) => ({field, value, count: String(count)})),
    ...(more ? [{field, value: '…', count: ''}] : []),
  ]);
  out.table(
    [
      {title: 'FIELD', value: ({field}) => field},
      {title: 'MACHINES', value: ({count}) => count},
      {title: 'VALUE', value: ({value}) => value},
    ],
    rows,
  );
}

const fieldColumns: readonly Column<MachineField>[] = [
  {title: 'FIELD', value: ({name, type}) => (isLabels(type) ? `${name}.KEY` : name)},
  {title: 'TYPE', value: ({type}) => nameOf(MachineField_TypeSchema, type)},
  {title: 'MANY', value: ({repeated}) => (repeated ? 'yes' : '')},
  {title: 'ORDER', value: ({sortable}) => (sortable ? 'yes' : '')},
  {title: 'FACET', value: ({facet}) => (facet ? 'yes' : '')},
  {title: 'INDEX', value: ({indexed}) => (indexed ? 'yes' : '')},
  {title: 'VALUES', value: ({values}) => values.join(' ')},
];

const isLabels = (type: number) => nameOf(MachineField_TypeSchema, type) === 'LABELS';

async function fields(_options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const answer = await clients.machines.listMachineFields({});
  out.list(MachineFieldSchema, fieldColumns, answer.fields);
}
