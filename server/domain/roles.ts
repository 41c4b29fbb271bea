import type {Role} from '../store/users.ts';

/** Each includes the ones before it. */
export const roles = [
  'viewer',
  'developer',
  'operator',
  'admin',
] as const satisfies readonly Role[];

export const lesserRole = (a: Role, b: Role): Role =>
  roles.indexOf(a) <= roles.indexOf(b) ? a : b;
