import {DomainError} from '../errors.ts';
import * as store from '../store/api-tokens.ts';
import type {ApiTokenRow} from '../store/api-tokens.ts';
import {appendEvent} from '../store/events.ts';
import {findUser, type Role, type UserRow} from '../store/users.ts';
import type {Deps} from './deps.ts';
import {
  type Asker,
  assertNotByToken,
  getUser,
  isAdministrator,
  requireUserId,
  resolveOwner,
} from './find-user.ts';
import {parsePageToken} from './ids.ts';
import {includesRole, type Rights, rightsOfToken, roleIn} from './roles.ts';
import {digestCode, makeSecretCode} from './secret-codes.ts';
import {findWorkspaceByKey, workspaceNotFound} from './find-workspace.ts';

const lifetimeDefaultMs = 90 * 24 * 3_600_000;
const liveTokensPerUserMax = 100;
const pageSizeDefault = 50;
/** How exact the time of the last use is: one write a minute, not one a request. */
const useResolutionMs = 60_000;

export const apiTokenPrefix = 'muster_token_';

export type NewApiToken = {
  readonly name: string;
  readonly role: Role;
  /** 0 is 90 days. */
  readonly lifetimeSeconds: number;
  /** Empty: one's own. */
  readonly userId: string;
  /** Id or name. Empty: wherever its user may. */
  readonly workspace?: string;
};

export type ApiTokens = ReturnType<typeof createApiTokens>;

/** Secrets for programs, each in place of its user and never more than that. Only digests are kept. */
export function createApiTokens({sql, now, newId}: Deps) {
  async function ownerOf(asker: Asker, wanted: string): Promise<UserRow> {
    if (asker.apiTokenId !== undefined)
      throw new DomainError(
        'permission_denied',
        'Cannot create an API token with an API token: sign in first',
      );
    if (wanted === '') return getUser(sql, requireUserId(asker));
    const id = await resolveOwner(sql, asker, wanted);
    if (id === undefined)
      throw new DomainError('invalid_argument', 'Cannot create an API token: name one user');
    return getUser(sql, id);
  }

  /** One in which the user has a role; any, for somebody with one that holds everywhere. */
  async function workspaceFor(user: UserRow, key: string): Promise<string | null> {
    if (key === '') return null;
    const found = await findWorkspaceByKey(sql, key);
    if (found && (user.role !== 'member' || user.workspaceRoles.some(({id}) => id === found.id)))
      return found.id;
    throw workspaceNotFound(key);
  }

  return {
    /** `token` is shown once and kept nowhere. */
    async create(asker: Asker, wanted: NewApiToken): Promise<{row: ApiTokenRow; token: string}> {
      const user = await ownerOf(asker, wanted.userId);
      const {name, role} = wanted;
      const workspaceId = await workspaceFor(user, wanted.workspace ?? '');
      const reached = roleIn(user, workspaceId ?? undefined);
      if (!includesRole(reached, role))
        throw new DomainError(
          'invalid_argument',
          `Cannot create API token "${name}" with the rights of role "${role}": "${user.username}" has role "${reached}"`,
        );
      const {code, sha256} = makeSecretCode('token');
      const createTime = now();
      const lifetimeMs = wanted.lifetimeSeconds * 1000 || lifetimeDefaultMs;
      const expireTime = new Date(createTime.getTime() + lifetimeMs);
      const row = {
        id: newId(),
        sha256,
        userId: user.id,
        name,
        role,
        workspaceId,
        createTime,
        expireTime,
      };
      await sql.begin(async tx => {
        if ((await store.countLiveApiTokens(tx, user.id, createTime)) >= liveTokensPerUserMax)
          throw new DomainError(
            'resource_exhausted',
            `Cannot create API token "${name}": "${user.username}" has ${liveTokensPerUserMax} already; revoke some first`,
          );
        await store.insertApiToken(tx, row);
        await appendEvent(tx, {
          id: newId(),
          time: createTime,
          type: 'token.created',
          actor: asker.name,
          subject: `tokens/${row.id}`,
          data: {
            username: user.username,
            name,
            role,
            workspaceId,
            expireTime: expireTime.toISOString(),
          },
        });
      });
      const {sha256: _kept, ...shown} = row;
      const unused = {lastUseTime: null, lastUseAddress: '', revokeTime: null};
      return {row: {...shown, username: user.username, ...unused}, token: code};
    },

    async list(
      asker: Asker,
      {userId, pageSize, pageToken}: {userId: string; pageSize: number; pageToken: string},
    ) {
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listApiTokens(sql, {
        userId: await resolveOwner(sql, asker, userId),
        before: parsePageToken(pageToken),
        limit: limit + 1,
      });
      const tokens = rows.slice(0, limit);
      return {tokens, nextPageToken: rows.length > limit ? (tokens.at(-1)?.id ?? '') : ''};
    },

    /** Idempotent. Somebody else's is as if it were not there, but for administrators. A token may end itself. */
    async revoke(asker: Asker, id: string): Promise<void> {
      if (asker.apiTokenId !== id) assertNotByToken(asker, 'revoke another API token');
      await sql.begin(async tx => {
        const token = await store.findApiToken(tx, id);
        if (!token || !(isAdministrator(asker) || token.userId === asker.userId))
          throw new DomainError('not_found', `Cannot revoke API token "${id}": no such token`);
        if (!(await store.revokeApiToken(tx, id, now()))) return;
        const {username, name} = token;
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'token.revoked',
          actor: asker.name,
          subject: `tokens/${id}`,
          data: {username, name},
        });
      });
    },

    /** Whose it is, with what the token and the user may both do as of now. Throws "unauthenticated". */
    async identify(
      secret: string,
      address: string,
    ): Promise<{readonly token: ApiTokenRow; readonly user: UserRow; readonly rights: Rights}> {
      // Found by the digest of 256 random bits: how long the search takes tells nothing about the secret.
      const token = await store.findApiTokenByDigest(sql, digestCode(secret));
      const user = token && (await findUser(sql, token.userId));
      const time = now();
      const problem = describeProblem(token, user, time);
      if (!token || !user || problem)
        throw new DomainError('unauthenticated', `Cannot accept the API token: ${problem}`);

      const {lastUseTime} = token;
      if (!lastUseTime || time.getTime() - lastUseTime.getTime() >= useResolutionMs)
        await store.noteApiTokenUse(sql, token.id, {time, address});
      return {token, user, rights: rightsOfToken(token, user)};
    },
  };
}

function describeProblem(
  token: ApiTokenRow | undefined,
  user: UserRow | undefined,
  now: Date,
): string | undefined {
  if (!token || !user) return 'it is not known; create one with "muster tokens create"';
  if (token.revokeTime) return 'it was revoked; create another one';
  if (token.expireTime <= now) return 'it has expired; create another one';
  return user.disabled ? 'its user is disabled' : undefined;
}
