import {DomainError} from '../errors.ts';
import type {Role} from '../store/users.ts';
import {roles} from './roles.ts';

/** From least to most. A member has what workspaces give. */
const mapped = ['member', ...roles] as const;
type MappedRole = Role | 'member';

/** The highest role of the groups in a claim: one text or a list of them. */
export function mapRole(
  claim: unknown,
  map: ReadonlyMap<string, MappedRole>,
): MappedRole | undefined {
  const groups: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  const found = new Set(
    groups.map(group => (typeof group === 'string' ? map.get(group) : undefined)),
  );
  return mapped.findLast(role => found.has(role));
}

/** "Bob@Example.com" becomes "bob-example.com". */
export function userNameOf(claim: unknown, claimName: string): string {
  const name =
    typeof claim === 'string'
      ? claim
          .toLowerCase()
          .replaceAll(/[^a-z0-9._-]+/g, '-')
          .replace(/^[._-]+/, '')
          .slice(0, 63)
      : '';
  if (name === '')
    throw new DomainError(
      'failed_precondition',
      `Cannot sign in by OIDC: claim "${claimName}" holds no user name; set OIDC_USERNAME_CLAIM`,
    );
  return name;
}

/** Exactly one of the list; or the loopback of the person's own host, at any port (RFC 8252, 7.3). */
export function isAllowedRedirect(redirectUrl: string, allowed: readonly string[]): boolean {
  if (allowed.includes(redirectUrl)) return true;
  const url = URL.parse(redirectUrl);
  return (
    url !== null &&
    url.protocol === 'http:' &&
    ['127.0.0.1', '[::1]'].includes(url.hostname) &&
    url.username === '' &&
    url.password === '' &&
    url.hash === ''
  );
}

/** Items of OIDC_ROLES: "muster-admins=admin". Throws when one makes no sense. */
export function roleMap(items: readonly string[]): ReadonlyMap<string, MappedRole> {
  return new Map(
    items.map(item => {
      const cut = item.lastIndexOf('=');
      const role = mapped.find(name => name === item.slice(cut + 1));
      if (cut < 1 || !role)
        throw new Error(`"${item}" is not <group>=<role>, with a role of ${mapped.join(', ')}`);
      return [item.slice(0, cut), role];
    }),
  );
}

/** Of OIDC_ISSUER: empty, https, or http on the loopback. */
export function parseIssuer(text: string): string {
  if (text === '') return text;
  const url = URL.parse(text);
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url?.hostname ?? '');
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback)) return text;
  throw new Error(`"${text}" is not an address that begins with https://`);
}
