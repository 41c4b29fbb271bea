import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type User,
  User_Role,
  UserSchema,
  type UserService,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import type {Users} from '../domain/users.ts';
import {DomainError} from '../errors.ts';
import type {Role, UserRow} from '../store/users.ts';
import {callerKey} from './caller.ts';

const toProtoRole = {
  viewer: User_Role.VIEWER,
  developer: User_Role.DEVELOPER,
  operator: User_Role.OPERATOR,
  admin: User_Role.ADMIN,
} as const satisfies Record<Role, User_Role>;

const fromProtoRole: ReadonlyMap<User_Role, Role> = new Map([
  [User_Role.VIEWER, 'viewer'],
  [User_Role.DEVELOPER, 'developer'],
  [User_Role.OPERATOR, 'operator'],
  [User_Role.ADMIN, 'admin'],
]);

export function toUserMessage({id, username, email, role, createTime}: UserRow): User {
  return create(UserSchema, {
    id,
    username,
    email,
    role: toProtoRole[role],
    createTime: timestampFromDate(createTime),
  });
}

export const userService = (users: Users): ServiceImpl<typeof UserService> => ({
  async listUsers(request) {
    const page = await users.list(request);
    return {users: page.users.map(toUserMessage), nextPageToken: page.nextPageToken};
  },

  async createUser({username, email, password, role: wanted}, {values}) {
    const role = fromProtoRole.get(wanted);
    if (!role)
      throw new DomainError('invalid_argument', `Cannot create user "${username}": unknown role`);
    const actor = values.get(callerKey).name;
    return {user: toUserMessage(await users.create(actor, {username, email, password, role}))};
  },

  async getCurrentUser(_request, {values}) {
    const {userId, name} = values.get(callerKey);
    // The administrator of the local token is no row.
    if (!userId) return {user: {username: name, role: User_Role.ADMIN}};
    return {user: toUserMessage(await users.get(userId))};
  },
});
