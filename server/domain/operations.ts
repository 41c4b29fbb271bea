import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {
  findOperation,
  listOperations,
  type Operation,
  type OperationState,
  type OperationStep,
} from '../store/operations.ts';
import {parsePageToken} from './ids.ts';

const pageSizeDefault = 50;
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
  cancel,
}: {
  readonly sql: Sql;
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

    /** Newest first. `pageSize` 0 is 50. */
    async list(page: {
      readonly machineId: string | undefined;
      readonly pageSize: number;
      readonly pageToken: string;
    }) {
      const limit = page.pageSize || pageSizeDefault;
      const operations = await listOperations(sql, {
        machineId: page.machineId,
        before: parsePageToken(page.pageToken),
        limit: limit + 1,
      });
      const nextPageToken = operations.length > limit ? (operations[limit - 1]?.id ?? '') : '';
      return {operations: operations.slice(0, limit), nextPageToken};
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
