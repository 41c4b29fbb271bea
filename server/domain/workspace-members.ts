import type {Sql} from '../store/db.ts';
import {appendEvent, type Change} from '../store/events.ts';
import * as store from '../store/role-bindings.ts';
import type {MemberRow} from '../store/role-bindings.ts';
import {lockUser, type Role, type UserRow} from '../store/users.ts';
import type {Workspace} from '../store/workspaces.ts';
import type {Deps} from './deps.ts';
import {getUser} from './find-user.ts';
import {findWorkspaceByKey, workspaceNotFound} from './find-workspace.ts';
import {badPageToken} from './ids.ts';

const pageSizeDefault = 50;

export type WorkspaceMembers = ReturnType<typeof createWorkspaceMembers>;

/** Who has which role in a workspace. */
export function createWorkspaceMembers({sql, now, newId}: Deps) {
  async function get(tx: Sql, key: string, lock?: 'update'): Promise<Workspace> {
    const found = await findWorkspaceByKey(tx, key, lock);
    if (!found) throw workspaceNotFound(key);
    return found;
  }

  /** Neither of them goes away meanwhile. */
  async function lockBoth(tx: Sql, key: string, idOrName: string) {
    const workspace = await get(tx, key, 'update');
    await lockUser(tx, (await getUser(tx, idOrName)).id);
    const user = await getUser(tx, idOrName);
    return {workspace, user, binding: {userId: user.id, workspaceId: workspace.id}};
  }

  const append = (
    tx: Sql,
    type: string,
    told: {actor: string; workspace: Workspace; user: UserRow; role: Role; change: Change},
  ): Promise<void> =>
    appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor: told.actor,
      subject: `workspaces/${told.workspace.id}`,
      data: {name: told.workspace.name, username: told.user.username, role: told.role},
      change: told.change,
    });

  return {
    /** By user name; the page token is the last name of the page before. */
    async list(
      key: string,
      {pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string},
    ) {
      if (!/^[a-z0-9._-]*$/.test(pageToken)) throw badPageToken(pageToken);
      const {id: workspaceId} = await get(sql, key);
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listMembers(sql, {workspaceId, after: pageToken, limit: limit + 1});
      const members = rows.slice(0, limit);
      return {members, nextPageToken: rows.length > limit ? (members.at(-1)?.username ?? '') : ''};
    },

    /** In place of the role that the user had there. */
    grant: (
      actor: string,
      key: string,
      {user: idOrName, role}: {readonly user: string; readonly role: Role},
    ): Promise<MemberRow> =>
      sql.begin(async tx => {
        const {workspace, user, binding} = await lockBoth(tx, key, idOrName);
        const before = await store.findMember(tx, binding);
        if (before?.role === role) return before;
        const createTime = before?.createTime ?? now();
        await store.putRoleBinding(tx, {...binding, role, createTime});
        const change = {...(before ? {before: {role: before.role}} : {}), after: {role}};
        await append(tx, 'workspace.role_granted', {actor, workspace, user, role, change});
        return {userId: user.id, username: user.username, role, createTime};
      }),

    /** Idempotent. */
    revoke: (actor: string, key: string, idOrName: string): Promise<void> =>
      sql.begin(async tx => {
        const {workspace, user, binding} = await lockBoth(tx, key, idOrName);
        const before = await store.findMember(tx, binding);
        if (!before) return;
        await store.deleteRoleBinding(tx, binding);
        const {role} = before;
        const change = {before: {role}};
        await append(tx, 'workspace.role_revoked', {actor, workspace, user, role, change});
      }),
  };
}
