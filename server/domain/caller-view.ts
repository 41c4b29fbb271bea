import {findSessionExpiry} from '../store/sessions.ts';
import {findUser, type Role, type UserRow} from '../store/users.ts';
import {listWorkspaceNames} from '../store/workspaces.ts';
import type {Deps} from './deps.ts';

export type Grant = {
  /** Undefined: everywhere. */
  readonly workspace: {readonly id: string; readonly name: string} | undefined;
  readonly role: Role;
};

/** What the door knows of somebody who calls. */
export type Known = {
  readonly role: string;
  readonly workspaces?: ReadonlyMap<string, string>;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
};

export type CallerView = {
  /** Undefined for who is no person. */
  readonly user: UserRow | undefined;
  readonly grants: readonly Grant[];
  /** Of the session, when it is one. */
  readonly expireTime: Date | undefined;
};

export type DescribeCaller = (known: Known) => Promise<CallerView>;

const isRole = (role: string): role is Role =>
  ['viewer', 'developer', 'operator', 'admin'].includes(role);

/** Tells somebody what they may do: what this call's proof is worth, which an API token may make less than its user has. */
export const createCallerView =
  ({sql}: Pick<Deps, 'sql'>): DescribeCaller =>
  async ({role, workspaces = new Map(), userId, sessionId}) => {
    const [user, names, expireTime] = await Promise.all([
      userId === undefined ? undefined : findUser(sql, userId),
      workspaces.size === 0 ? [] : listWorkspaceNames(sql, [...workspaces.keys()]),
      sessionId === undefined ? undefined : findSessionExpiry(sql, sessionId),
    ]);
    const everywhere = isRole(role) ? [{workspace: undefined, role}] : [];
    const inside = names.flatMap(workspace => {
      const role = workspaces.get(workspace.id) ?? '';
      return isRole(role) ? [{workspace, role}] : [];
    });
    return {user, grants: [...everywhere, ...inside], expireTime};
  };
