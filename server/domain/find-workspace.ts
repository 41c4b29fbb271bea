import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {findWorkspace, type Workspace} from '../store/workspaces.ts';
import {isUuid} from './ids.ts';

/** By id or name (no name looks like an id), of those that the caller may see. */
export async function findWorkspaceByKey(
  sql: Sql,
  key: string,
  lock: 'none' | 'update' = 'none',
): Promise<Workspace | undefined> {
  if (key.includes('\0')) return undefined;
  return findWorkspace(sql, isUuid(key) ? {id: key} : {name: key.toLowerCase()}, lock);
}

export const workspaceNotFound = (key: string): DomainError =>
  new DomainError(
    'not_found',
    `Cannot find workspace "${key}": "muster workspaces list" shows what there is`,
  );
