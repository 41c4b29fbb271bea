import type {PendingQuery, Row} from 'postgres';
import {currentScope} from '../audited-call.ts';
import type {Sql} from './db.ts';
import {type Fragment, part, yes} from './fragments.ts';

/**
 * What the caller may see, as conditions: the one place where workspaces end up in SQL. A use case that reads a machine, or what belongs to one,
 * by a store function with such a condition keeps to the caller's workspaces without knowing of them (docs/decisions/0007-workspace-scope.md). For
 * whoever sees everything each is `true`.
 */
type Condition = PendingQuery<Row[]>;

export const seesEverything = (): boolean => currentScope() === 'everywhere';

/** Of workspaces; empty for whoever sees everything. */
const ids = (): string[] => {
  const scope = currentScope();
  return scope === 'everywhere' ? [] : [...scope];
};

/** As the journal names them. */
export const workspaceSubjects = (): string[] => ids().map(id => `workspaces/${id}`);

/** On `machines`. */
export const machineInScope = (sql: Sql) =>
  seesEverything() ? sql`true` : sql`machines.workspace_id = any(${ids()}::text[]::uuid[])`;

/** The same for searches. */
export const searchScope = (): Fragment =>
  seesEverything() ? yes : part`machines.workspace_id = any(${ids()}::text[]::uuid[])`;

/** On `workspaces`. */
export const workspaceInScope = (sql: Sql) =>
  seesEverything() ? sql`true` : sql`workspaces.id = any(${ids()}::text[]::uuid[])`;

/** Of a machine in scope, whenever it was. */
export const ofMachineInScope = (sql: Sql, machineId: Condition) =>
  seesEverything() ? sql`true` : owned(sql, machineId, sql`true`);

/** Of a machine in scope, and since it was assigned: what it did for others before is theirs. */
export const sinceAssigned = (sql: Sql, machineId: Condition, time: Condition) =>
  seesEverything() ? sql`true` : owned(sql, machineId, sql`${time} >= owner.workspace_time`);

/** `and` may name the machine as `owner`. */
const owned = (sql: Sql, machineId: Condition, and: Condition) => sql`exists (
  select from machines as owner
  where owner.id = ${machineId} and owner.workspace_id = any(${ids()}::text[]::uuid[]) and ${and}
)`;
