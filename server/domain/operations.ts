import {DomainError} from '../errors.ts';
import {countOperations, listOperations, type OperationQuery} from '../store/operation-lists.ts';
import {
  findOperation,
  type Operation,
  type OperationState,
  type OperationStep,
} from '../store/operations.ts';
import type {Deps} from './deps.ts';
import {pageOf, parseListRequest, type Unparsed} from './newest-first.ts';

const stepsMax = 64;

export const isOver = (state: OperationState): boolean => state !== 'queued' && state !== 'running';

/** The step that runs now is `name`: the one before it is done. An empty name changes nothing, nor does one beyond 64 steps. */
export function advanceSteps(
  steps: readonly OperationStep[],
  name: string,
  now: Date,
): readonly OperationStep[] {
  if (name === '' || steps.at(-1)?.name === name || steps.length >= stepsMax) return steps;
  const next: OperationStep = {name, state: 'running', startTime: now, endTime: undefined};
  return [...endSteps(steps, 'succeeded', now), next];
}

/** The step that was running ended like this. */
export function endSteps(
  steps: readonly OperationStep[],
  state: OperationState,
  now: Date,
): readonly OperationStep[] {
  return steps.map(step => (step.endTime ? step : {...step, state, endTime: now}));
}

/** What knows how to cancel operations of one kind. */
export type CancelOperation = (actor: string, id: string) => Promise<void>;

export type Operations = ReturnType<typeof createOperations>;

export function createOperations({
  sql,
  now,
  cancel,
}: Pick<Deps, 'sql' | 'now'> & {
  /** By kind of operation. */
  readonly cancel: Readonly<Record<string, CancelOperation>>;
}) {
  /** Throws not_found. */
  async function get(id: string): Promise<Operation> {
    const operation = await findOperation(sql, id);
    if (!operation) throw new DomainError('not_found', `Cannot find operation "${id}"`);
    return operation;
  }

  return {
    get,

    /** Newest first. Throws invalid_argument. */
    async list({
      countTotal,
      ...request
    }: Unparsed<OperationQuery> & {readonly countTotal: boolean}) {
      const {query, page} = parseListRequest(request, now());
      const rows = await listOperations(sql, {...query, ...page});
      const total = countTotal ? await countOperations(sql, query) : 0;
      const {items: operations, nextPageToken} = pageOf(rows, page);
      return {operations, nextPageToken, total};
    },

    /** One that is over stays what it is. */
    async cancel(actor: string, id: string): Promise<Operation> {
      const operation = await get(id);
      if (isOver(operation.state)) return operation;
      const how = cancel[operation.kind];
      if (!how)
        throw new DomainError(
          'failed_precondition',
          `Cannot cancel operation "${id}": a ${operation.kind} cannot be cancelled`,
        );
      await how(actor, id);
      return get(id);
    },
  };
}
