import {
  type Operation,
  Operation_StateSchema,
  OperationSchema,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError} from '../exit-status.ts';
import {age, clock, type Column, nameOf, type Output, progressBar} from '../output.ts';

const columns: readonly Column<Operation>[] = [
  {title: 'ID', value: operation => operation.id},
  {title: 'KIND', value: operation => operation.kind},
  {title: 'STATE', value: operation => nameOf(Operation_StateSchema, operation.state)},
  {title: '%', value: operation => String(Math.round(operation.progressPercent))},
  {title: 'MACHINE', value: operation => operation.machineId},
  {title: 'ACTOR', value: operation => operation.actor},
  {title: 'AGE', value: operation => age(operation.createTime)},
  {title: 'ERROR', value: operation => operation.error.slice(0, 80)},
];

/** `muster operations …` */
export function addOperationCommands(program: Command): void {
  const operations = program
    .command('operations')
    .description('operations: whatever takes longer than a request');
  operations
    .command('list')
    .description('list operations, newest first')
    .option('--machine <machine>', 'only those of this machine')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster operations list --machine ABC1234')
    .action(list);
  operations
    .command('get <operation>')
    .description('show one operation and its steps')
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
  options: {readonly machine?: string; readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const machineId = options.machine ? await machineIdOf(context, options.machine) : '';
  const operations = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.operations.listOperations({...page, machineId});
    return {rows: answer.operations, nextPageToken: answer.nextPageToken};
  });
  if (context.out.json) return context.out.documents(OperationSchema, operations);
  context.out.table(columns, operations);
}

async function get(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {operation} = await clients.operations.getOperation({id});
  show(out, operation);
}

async function cancel(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {operation} = await clients.operations.cancelOperation({id});
  show(out, operation);
}

function show(out: Output, operation: Operation | undefined): void {
  if (!operation) throw new CommandError("The server's answer was empty");
  if (out.json) return out.document(OperationSchema, operation);
  out.record({
    id: operation.id,
    kind: operation.kind,
    state: nameOf(Operation_StateSchema, operation.state),
    progress: progressBar(operation.progressPercent),
    error: operation.error,
    machine: operation.machineId,
    actor: operation.actor,
    'cancel asked': operation.cancelRequested ? 'yes' : '',
    created: clock(operation.createTime),
    started: clock(operation.startTime),
    ended: clock(operation.endTime),
  });
  for (const step of operation.steps)
    out.line(
      `  ${step.name.padEnd(20)} ${out.colour(nameOf(Operation_StateSchema, step.state))}  ${clock(step.startTime)}`,
    );
}
