import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent, type Change} from '../store/events.ts';
import * as store from '../store/workspaces.ts';
import type {Workspace, WorkspaceChange, WorkspaceCounts} from '../store/workspaces.ts';
import {created, deleted, updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {findWorkspaceByKey, workspaceNotFound} from './find-workspace.ts';
import {badPageToken, isUuid} from './ids.ts';

const pageSizeDefault = 50;
const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export type Workspaces = ReturnType<typeof createWorkspaces>;

export type CountedWorkspace = Workspace & WorkspaceCounts;

export type NewWorkspace = Pick<Workspace, 'name' | 'description' | 'machinesMax'>;

/** Tenants or environments (docs/workspaces.md): what machines are assigned to and people have roles in. */
export function createWorkspaces({sql, now, newId}: Deps) {
  const append = (
    tx: Sql,
    type: string,
    {actor, id, name, change}: {actor: string; id: string; name: string; change: Change},
  ): Promise<void> =>
    appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor,
      subject: `workspaces/${id}`,
      data: {name},
      change,
    });

  async function counted(workspaces: readonly Workspace[]): Promise<readonly CountedWorkspace[]> {
    const counts = await store.countInWorkspaces(
      sql,
      workspaces.map(({id}) => id),
    );
    const none = {machineCount: 0, memberCount: 0};
    return workspaces.map(workspace => ({...workspace, ...(counts.get(workspace.id) ?? none)}));
  }

  async function get(key: string): Promise<CountedWorkspace> {
    const found = await findWorkspaceByKey(sql, key);
    const [workspace] = found ? await counted([found]) : [];
    if (!workspace) throw workspaceNotFound(key);
    return workspace;
  }

  async function lock(tx: Sql, key: string): Promise<Workspace> {
    const found = await findWorkspaceByKey(tx, key, 'update');
    if (!found) throw workspaceNotFound(key);
    return found;
  }

  return {
    /** By id or name. Throws not_found. */
    get,

    /** By name; the page token is the last name of the page before. */
    async list({pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string}) {
      if (pageToken !== '' && !namePattern.test(pageToken)) throw badPageToken(pageToken);
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listWorkspaces(sql, {after: pageToken, limit: limit + 1});
      const workspaces = await counted(rows.slice(0, limit));
      return {
        workspaces,
        nextPageToken: rows.length > limit ? (workspaces.at(-1)?.name ?? '') : '',
      };
    },

    async create(actor: string, wanted: NewWorkspace): Promise<CountedWorkspace> {
      assertName(wanted.name);
      const workspace = {...wanted, id: newId(), createTime: now(), updateTime: now()};
      await sql.begin(async tx => {
        if (!(await store.insertWorkspace(tx, workspace))) throw taken('create', wanted.name);
        const {id, name} = workspace;
        await append(tx, 'workspace.created', {actor, id, name, change: created(wanted)});
      });
      return {...workspace, machineCount: 0, memberCount: 0};
    },

    async update(actor: string, key: string, change: WorkspaceChange): Promise<CountedWorkspace> {
      if (change.name !== undefined) assertName(change.name);
      const id = await sql.begin(async tx => {
        const before = await lock(tx, key);
        const after = {...before, ...change, updateTime: now()};
        if (!(await store.updateWorkspace(tx, after))) throw taken('rename', after.name);
        const told = {actor, id: before.id, name: after.name, change: updated(before, change)};
        await append(tx, 'workspace.updated', told);
        return before.id;
      });
      return get(id);
    },

    /** Its roles and API tokens go with it. Throws failed_precondition while machines are assigned. */
    delete: (actor: string, key: string): Promise<void> =>
      sql.begin(async tx => {
        const workspace = await lock(tx, key);
        const {id, name} = workspace;
        const machineCount = (await store.countInWorkspaces(tx, [id])).get(id)?.machineCount ?? 0;
        if (machineCount > 0)
          throw new DomainError(
            'failed_precondition',
            `Cannot delete workspace "${name}": ${machineCount} machines are assigned to it; release them first`,
          );
        await store.deleteWorkspace(tx, id);
        await append(tx, 'workspace.deleted', {actor, id, name, change: deleted({...workspace})});
      }),
  };
}

/** As an id it would be found as something else. */
function assertName(name: string): void {
  if (!namePattern.test(name) || isUuid(name))
    throw new DomainError(
      'invalid_argument',
      `Cannot name a workspace "${name}": use 1 to 63 lower-case letters, digits and dashes, and not the form of an id`,
    );
}

function taken(verb: string, name: string): DomainError {
  return new DomainError(
    'already_exists',
    `Cannot ${verb} workspace "${name}": the name is taken; choose another`,
  );
}
