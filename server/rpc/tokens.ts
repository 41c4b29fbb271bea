import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  type ApiToken,
  ApiTokenSchema,
  type TokenService,
} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import type {ApiTokens} from '../domain/tokens.ts';
import {DomainError} from '../errors.ts';
import type {ApiTokenRow} from '../store/api-tokens.ts';
import type {Role} from '../store/users.ts';
import {callerKey} from './caller.ts';

/** A permission for persons is a role: what the role may do, and no more. */
const toPermission = {
  viewer: Permission.VIEW,
  developer: Permission.DEVELOP,
  operator: Permission.OPERATE,
  admin: Permission.ADMINISTER,
} as const satisfies Record<Role, Permission>;

const fromPermission: ReadonlyMap<Permission, Role> = new Map(
  (Object.entries(toPermission) as [Role, Permission][]).map(([role, value]) => [value, role]),
);

function toMessage(row: ApiTokenRow): ApiToken {
  const {id, userId, username, name, role, createTime, expireTime, lastUseTime} = row;
  return create(ApiTokenSchema, {
    id,
    userId,
    username,
    name,
    permission: toPermission[role],
    createTime: timestampFromDate(createTime),
    expireTime: timestampFromDate(expireTime),
    ...(lastUseTime ? {lastUseTime: timestampFromDate(lastUseTime)} : {}),
    lastUseAddress: row.lastUseAddress,
    revoked: row.revokeTime !== null,
    workspaceId: row.workspaceId ?? '',
  });
}

export const tokenService = (apiTokens: ApiTokens): ServiceImpl<typeof TokenService> => ({
  async createApiToken({name, permission, lifetimeSeconds, userId, workspaceId}, {values}) {
    const role = fromPermission.get(permission);
    if (!role)
      throw new DomainError(
        'invalid_argument',
        `Cannot create API token "${name}": say permission VIEW, DEVELOP, OPERATE or ADMINISTER`,
      );
    const wanted = {name, role, lifetimeSeconds, userId, workspace: workspaceId};
    const {row, token} = await apiTokens.create(values.get(callerKey), wanted);
    return {apiToken: toMessage(row), token};
  },

  async listApiTokens(request, {values}) {
    const page = await apiTokens.list(values.get(callerKey), request);
    return {tokens: page.tokens.map(toMessage), nextPageToken: page.nextPageToken};
  },

  async revokeApiToken({id}, {values}) {
    await apiTokens.revoke(values.get(callerKey), id);
    return {};
  },
});
