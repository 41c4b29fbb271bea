import type {Permission as PermissionValue} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {type User, User_Role as Role} from '@muster/proto/gen/muster/v1/users_pb.ts';
import type {Choice} from '../../forms/fields.tsx';

// docs/people.md, "Users and roles"
const words: Readonly<Record<number, string>> = {
  [Role.VIEWER]: 'Viewer',
  [Role.DEVELOPER]: 'Developer',
  [Role.OPERATOR]: 'Operator',
  [Role.ADMIN]: 'Admin',
  [Role.MEMBER]: 'Member',
};
export const roleWord = (role: number): string => words[role] ?? 'None';

export const roleMeaning: Readonly<Record<number, string>> = {
  [Role.MEMBER]: 'only what workspaces give',
  [Role.VIEWER]: 'looks at everything',
  [Role.DEVELOPER]: 'a viewer with shell access',
  [Role.OPERATOR]: 'changes machines, builds, boots',
  [Role.ADMIN]: 'users, services and all the rest',
};

const choice = (role: Role): Choice => ({
  value: String(role),
  label: `${roleWord(role)}: ${roleMeaning[role] ?? ''}`,
});
const levels = [Role.VIEWER, Role.DEVELOPER, Role.OPERATOR, Role.ADMIN] as const;
/** For narrow forms: the words alone. */
export const workspaceRoles: readonly Choice[] = levels.map(role => ({
  value: String(role),
  label: roleWord(role),
}));
export const siteRoles: readonly Choice[] = [Role.MEMBER, ...levels].map(choice);

/** The role of a chosen entry of the lists above. */
export const roleOf = (text: string): Role =>
  [Role.MEMBER, ...levels].find(role => String(role) === text) ?? Role.UNSPECIFIED;

const permissionWords: Readonly<Record<number, string>> = {
  [Permission.VIEW]: 'View',
  [Permission.DEVELOP]: 'Develop',
  [Permission.OPERATE]: 'Operate',
  [Permission.ADMINISTER]: 'Administer',
};
export const permissionWord = (permission: PermissionValue): string =>
  permissionWords[permission] ?? 'Nothing';

/** How somebody proves who they are. */
export function signInWords({external, certificateSubject}: User): string {
  const ways = [external ? '' : 'password', certificateSubject ? 'certificate' : ''].filter(
    Boolean,
  );
  return ways.length === 0 ? 'elsewhere' : ways.join(', ');
}
