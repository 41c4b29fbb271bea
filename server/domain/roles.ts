import type {Role, UserRow} from '../store/users.ts';

/** Each includes the ones before it. */
export const roles = [
  'viewer',
  'developer',
  'operator',
  'admin',
] as const satisfies readonly Role[];

/** A member has no role everywhere. */
const rank = (role: Role | 'member'): number => roles.findIndex(name => name === role);

export const lesserRole = <T extends Role | 'member'>(a: Role, b: T): Role | T =>
  rank(a) <= rank(b) ? a : b;

export const includesRole = (role: Role | 'member', wanted: Role): boolean =>
  rank(role) >= rank(wanted);

/** What somebody may do everywhere, and by the id of a workspace. */
export type Rights = {
  readonly role: Role | 'member';
  readonly workspaces: ReadonlyMap<string, Role>;
};

type Bound = Pick<UserRow, 'role' | 'workspaceRoles'>;

export const rightsOf = ({role, workspaceRoles}: Bound): Rights => ({
  role,
  workspaces: new Map(workspaceRoles.map(({id, role}) => [id, role])),
});

/** The highest role that somebody has in a workspace; everywhere, when none is named, the highest of all. */
export function roleIn({role, workspaceRoles}: Bound, workspaceId?: string): Role | 'member' {
  return workspaceRoles
    .filter(({id}) => workspaceId === undefined || id === workspaceId)
    .reduce((highest, {role}) => (rank(role) > rank(highest) ? role : highest), role);
}

/** What a token for `role`, in one workspace or wherever its user may, is worth now. */
export function rightsOfToken(
  token: {readonly role: Role; readonly workspaceId: string | null},
  user: Bound,
): Rights {
  const {role, workspaceId} = token;
  if (workspaceId === null)
    return {
      role: lesserRole(role, user.role),
      workspaces: new Map(user.workspaceRoles.map(own => [own.id, lesserRole(role, own.role)])),
    };
  const inside = lesserRole(role, roleIn(user, workspaceId));
  return {role: 'member', workspaces: new Map(inside === 'member' ? [] : [[workspaceId, inside]])};
}
