import {
  type Operation,
  Operation_StateSchema,
  OperationChild_State,
  OperationSchema,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf} from '../context.ts';
import {
  addListOptions,
  choiceOption,
  chosen,
  type ListOptions,
  operationStates,
} from '../list-options.ts';
import {showChildren, showOperation} from '../operation-view.ts';
import {age, type Column, nameOf} from '../output.ts';

const kinds = {build: true, bulk: true, rollout: true};

const columns: readonly Column<Operation>[] = [
  {title: 'ID', value: operation => operation.id},
  {title: 'KIND', value: ({kind, action}) => (kind === 'bulk' ? `bulk ${action}` : kind)},
  {title: 'STATE', value: operation => nameOf(Operation_StateSchema, operation.state)},
  {title: '%', value: operation => String(Math.round(operation.progressPercent))},
  {
    title: 'MACHINE',
    value: ({machineId, children}) => (children ? `${children.total} machines` : machineId),
  },
  {title: 'ACTOR', value: operation => operation.actor},
  {title: 'AGE', value: operation => age(operation.createTime)},
  {title: 'ERROR', value: operation => operation.error.slice(0, 80)},
];

/** `muster operations …` */
export function addOperationCommands(program: Command): void {
  const operations = program
    .command('operations')
    .description('operations: whatever takes longer than a request');
  addListOptions(operations.command('list').description('list operations, newest first'))
    .addOption(choiceOption('--state <state...>', 'only those that are', operationStates))
    .addOption(choiceOption('--kind <kind...>', 'only of these kinds', kinds))
    .addHelpText('after', '\nExample: muster operations list --kind bulk rollout --since 7d')
    .action(list);
  operations
    .command('get <operation>')
    .description('show one operation, its steps and its machines')
    .option('--failed', 'of its machines only those that failed')
    .addHelpText('after', '\nExample: muster operations get 0198c0de-0000-7000-8000-000000000001')
    .action(get);
  operations
    .command('cancel <operation>')
    .description('stop an operation')
    .addHelpText(
      'after',
      '\nExample: muster operations cancel 0198c0de-0000-7000-8000-000000000001',
    )
    .action(cancel);
}

async function list(
  options: ListOptions & {readonly state?: readonly string[]; readonly kind?: readonly string[]},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {machine, since, until, kind = []} = options;
  const machineId = machine ? await machineIdOf(context, machine) : '';
  const states = chosen(operationStates, options.state);
  const query = {machineId, states, kinds: [...kind], since, until};
  const operations = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.operations.listOperations({...page, ...query});
    return {rows: answer.operations, nextPageToken: answer.nextPageToken};
  });
  context.out.list(OperationSchema, columns, operations);
}

async function get(
  id: string,
  {failed}: {readonly failed?: boolean},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {operation} = await context.clients.operations.getOperation({id});
  showOperation(context.out, operation);
  if (!operation?.children || context.out.json) return;
  await showChildren(context, operation, failed ? [OperationChild_State.FAILED] : []);
}

async function cancel(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {operation} = await clients.operations.cancelOperation({id});
  showOperation(out, operation);
}
