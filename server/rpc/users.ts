import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type User,
  User_Role,
  UserSchema,
  type UserService,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import type {BreakGlass} from '../domain/break-glass.ts';
import type {PasswordChanges} from '../domain/password-changes.ts';
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

export const fromProtoRole: ReadonlyMap<User_Role, Role> = new Map([
  [User_Role.VIEWER, 'viewer'],
  [User_Role.DEVELOPER, 'developer'],
  [User_Role.OPERATOR, 'operator'],
  [User_Role.ADMIN, 'admin'],
]);

export function toUserMessage({role, createTime, ...same}: UserRow): User {
  return create(UserSchema, {
    ...same,
    role: toProtoRole[role],
    createTime: timestampFromDate(createTime),
  });
}

export const userService = ({
  users,
  passwords,
  breakGlass,
}: {
  users: Users;
  passwords: PasswordChanges;
  breakGlass: BreakGlass;
}): ServiceImpl<typeof UserService> => ({
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

  async getUser({id}) {
    return {user: toUserMessage(await users.get(id))};
  },

  async updateUser({id, email, role, password, disabled, certificateSubject}, {values}) {
    const change = {
      email,
      role: role === undefined ? undefined : fromProtoRole.get(role),
      password,
      disabled,
      certificateSubject,
    };
    if (Object.values(change).every(value => value === undefined))
      throw new DomainError(
        'invalid_argument',
        `Cannot change user "${id}": name the fields to change, one or more of email, role, password, disabled, certificate_subject`,
      );
    const {name, sessionId} = values.get(callerKey);
    return {user: toUserMessage(await users.update(name, id, change, sessionId))};
  },

  async deleteUser({id}, {values}) {
    await users.delete(values.get(callerKey).name, id);
    return {};
  },

  async changePassword({currentPassword, newPassword}, {values}) {
    const caller = values.get(callerKey);
    const change = {current: currentPassword, next: newPassword};
    await passwords.change(caller, change, caller.address);
    return {};
  },

  async createPasswordReset({id}, {values}) {
    const {code, expireTime} = await passwords.createReset(values.get(callerKey).name, id);
    return {code, expireTime: timestampFromDate(expireTime)};
  },

  async completePasswordReset({code, newPassword}) {
    await passwords.completeReset(code, newPassword);
    return {};
  },

  async resetAdministrator({username}, {values}) {
    const {name} = values.get(callerKey);
    // No user has this name: it is the holder of the token that lies on the host.
    if (name !== 'local')
      throw new DomainError(
        'permission_denied',
        `Cannot reset an administrator as "${name}": run "muster admin reset" as root on the host of the server`,
      );
    const {user, password} = await breakGlass(name, username);
    return {user: toUserMessage(user), password};
  },

  async getCurrentUser(_request, {values}) {
    const {userId, name} = values.get(callerKey);
    // The administrator of the local token is no row.
    if (!userId) return {user: {username: name, role: User_Role.ADMIN}};
    return {user: toUserMessage(await users.get(userId))};
  },
});
