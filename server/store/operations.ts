import type {Sql} from './db.ts';
import {sinceAssigned} from './scope.ts';

export const operationStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type OperationState = (typeof operationStates)[number];

export type OperationStep = {
  readonly name: string;
  readonly state: OperationState;
  readonly startTime: Date;
  readonly endTime: Date | undefined;
};

export type Operation = {
  readonly id: string;
  readonly kind: string;
  readonly state: OperationState;
  readonly steps: readonly OperationStep[];
  readonly progressPercent: number;
  readonly error: string;
  readonly machineId: string | undefined;
  readonly actor: string;
  readonly cancelRequested: boolean;
  readonly revision: number;
  readonly createTime: Date;
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
};

export type OperationChange = Partial<
  Pick<
    Operation,
    'state' | 'steps' | 'progressPercent' | 'error' | 'cancelRequested' | 'startTime' | 'endTime'
  >
>;

type StepRow = {
  readonly name: string;
  readonly state: OperationState;
  readonly startTime: string;
  readonly endTime: string | null;
};

export type OperationRow = Omit<Operation, 'steps' | 'machineId' | 'startTime' | 'endTime'> & {
  readonly steps: readonly StepRow[];
  readonly machineId: string | null;
  readonly startTime: Date | null;
  readonly endTime: Date | null;
};

/** For operations and what belongs to one. */
export const inScope = (sql: Sql) =>
  sinceAssigned(sql, sql`operations.machine_id`, sql`operations.create_time`);

export async function insertOperation(
  sql: Sql,
  operation: Pick<Operation, 'id' | 'kind' | 'state' | 'machineId' | 'actor' | 'createTime'>,
): Promise<void> {
  const {machineId, ...row} = operation;
  await sql`insert into operations ${sql({...row, machineId: machineId ?? null})}`;
}

export async function findOperation(sql: Sql, id: string): Promise<Operation | undefined> {
  const [row] = await sql<OperationRow[]>`
    select * from operations where id = ${id} and ${inScope(sql)}
  `;
  return row && toOperation(row);
}

/** Raises the revision too. `change` is not empty. */
export async function updateOperation(
  sql: Sql,
  id: string,
  {steps, ...change}: OperationChange,
): Promise<void> {
  const columns = {...change, ...(steps ? {steps: sql.json(steps)} : {})};
  await sql`
    update operations set ${sql(columns as Record<string, never>)}, revision = revision + 1
    where id = ${id}
  `;
}

export function toOperation(row: OperationRow): Operation {
  return {
    ...row,
    machineId: row.machineId ?? undefined,
    startTime: row.startTime ?? undefined,
    endTime: row.endTime ?? undefined,
    steps: row.steps.map(step => ({
      ...step,
      startTime: new Date(step.startTime),
      endTime: step.endTime ? new Date(step.endTime) : undefined,
    })),
  };
}
