import {setTimeout as delay} from 'node:timers/promises';
import {
  type Operation,
  type Operation_Counts,
  Operation_State,
  Operation_StateSchema,
  type OperationChild,
  type OperationChild_State,
  OperationChild_StateSchema,
  OperationChildSchema,
  OperationSchema,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {collectPages, type Context} from './context.ts';
import {assertAnswered} from './exit-status.ts';
import {clock, type Column, nameOf, type Output, progressBar} from './output.ts';

const pollMs = 500;
const childrenMax = 10_000;

export const isOver = ({state}: Operation): boolean =>
  state !== Operation_State.QUEUED && state !== Operation_State.RUNNING;

export const childColumns: readonly Column<OperationChild>[] = [
  {title: 'WAVE', value: ({wave}) => String(wave)},
  {title: 'MACHINE', value: ({machine}) => machine},
  {title: 'STATE', value: ({state}) => nameOf(OperationChild_StateSchema, state)},
  {title: 'STEP', value: ({step}) => step},
  {title: 'BUILD', value: ({buildId}) => buildId},
  {title: 'WHAT', value: child => whatOf(child).slice(0, 400)},
];

/** What was done and what comes next; of one that failed, why. */
const whatOf = ({error, summary, nextStep}: OperationChild): string =>
  error || [summary, nextStep].filter(text => text !== '').join('. ');

export function showOperation(out: Output, operation: Operation | undefined): void {
  assertAnswered(operation);
  if (out.json) return out.document(OperationSchema, operation);
  out.record({
    id: operation.id,
    kind: operation.action ? `${operation.kind} ${operation.action}` : operation.kind,
    state: nameOf(Operation_StateSchema, operation.state),
    progress: progressBar(operation.progressPercent),
    error: operation.error,
    machine: operation.machineId,
    machines: operation.children ? `${operation.selection}: ${countsOf(operation)}` : '',
    'dry run': operation.dryRun ? 'yes: nothing is changed' : '',
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

/** "500 machines, 498 succeeded, 2 failed" */
export function countsOf({children}: {readonly children?: Operation_Counts | undefined}): string {
  if (!children) return '';
  const {total, queued, running, succeeded, failed, skipped, cancelled} = children;
  const parts = {queued, running, succeeded, failed, skipped, cancelled};
  const shown = Object.entries(parts).filter(([, count]) => count > 0);
  return [`${total} machines`, ...shown.map(([name, count]) => `${count} ${name}`)].join(', ');
}

function listChildren(
  context: Context,
  operationId: string,
  states: readonly OperationChild_State[],
) {
  return collectPages(context, childrenMax, async page => {
    const {operations} = context.clients;
    const {children, nextPageToken} = await operations.listOperationChildren({
      operationId,
      states: [...states],
      ...page,
    });
    return {rows: children, nextPageToken};
  });
}

/** Each machine's outcome, below the whole. */
export async function showChildren(
  context: Context,
  operation: Operation,
  states: readonly OperationChild_State[] = [],
): Promise<void> {
  const {out} = context;
  const children = await listChildren(context, operation.id, states);
  if (out.json) return out.documents(OperationChildSchema, children);
  out.line('');
  out.table(childColumns, children);
}

/** Until it is over. */
export async function waitFor(context: Context, started: Operation): Promise<Operation> {
  const {clients, out, signal} = context;
  let operation: Operation | undefined = started;
  while (operation && !isOver(operation)) {
    out.progress(`${progressBar(operation.progressPercent)}  ${countsOf(operation)}`);
    await delay(pollMs, undefined, {signal});
    ({operation} = await clients.operations.getOperation({id: started.id}));
  }
  assertAnswered(operation);
  return operation;
}
