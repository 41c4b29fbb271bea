import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  Session_Method as Method,
  type SessionSchema,
  SessionService,
} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {type ApiTokenSchema, TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {
  User_Role as Role,
  type UserSchema,
  UserService,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

type UserInit = MessageInitShape<typeof UserSchema>;
const dayMs = 86_400_000;
const permissions = [
  Permission.VIEW,
  Permission.DEVELOP,
  Permission.OPERATE,
  Permission.ADMINISTER,
] as const;

/** Who is signed in, everywhere in this role; a viewer without a name. */
export const signedInAs =
  (role: 'admin' | 'viewer'): MockNoun =>
  router => {
    let sessions: MessageInitShape<typeof SessionSchema>[] = [
      {id: '00000000-0000-7000-8000-0000000000e1', username: 'ada', browser: true, current: true},
      {id: '00000000-0000-7000-8000-0000000000e2', username: 'ada', address: '10.0.0.9'},
    ].map(session => ({
      ...session,
      method: Method.PASSWORD,
      createTime: timestampFromMs(Date.now()),
    }));
    router.service(SessionService, {
      getSignInOptions: () => ({serverVersion: '0.1.0'}),
      getCaller: () => ({
        name: 'user:ada',
        user: {username: 'ada', role: role === 'admin' ? Role.ADMIN : Role.VIEWER},
        grants: [
          {
            role,
            permissions: role === 'admin' ? [...permissions] : [Permission.VIEW],
          },
        ],
      }),
      listSessions: () => ({sessions}),
      revokeSession({id}) {
        sessions = sessions.filter(session => session.id !== id);
        return {};
      },
    });
  };

/** A user called "taken" is there already; the password "wrong" is. */
export const addUsers: MockNoun = router => {
  const users: UserInit[] = [
    {id: 'u1', username: 'ada', role: Role.ADMIN},
    {
      id: 'u2',
      username: 'erin',
      role: Role.MEMBER,
      workspaceRoles: [{workspaceId: 'w1', workspace: 'staging', role: Role.OPERATOR}],
    },
  ];
  const find = (id: string) => {
    const user = users.find(({username}) => username === id);
    if (!user) throw new ConnectError(`Cannot find user "${id}"`, Code.NotFound);
    return user;
  };
  router.service(UserService, {
    listUsers: () => ({users}),
    getUser: ({id}) => ({user: find(id)}),
    createUser({username, role}) {
      if (username === 'taken')
        throw new ConnectError('Cannot create user "taken": it exists', Code.AlreadyExists);
      const user: UserInit = {id: `u-${username}`, username, role};
      users.push(user);
      return {user};
    },
    updateUser({id, disabled, role}) {
      const user = find(id);
      if (disabled !== undefined) user.disabled = disabled;
      if (role !== undefined) user.role = role;
      return {user};
    },
    createPasswordReset: () => ({
      code: 'reset-code-of-erin',
      expireTime: timestampFromMs(Date.now() + 3_600_000),
    }),
    completePasswordReset({code}) {
      if (!/^[\w-]+$/.test(code) || code.endsWith('used'))
        throw new ConnectError(
          'Cannot reset the password: the code was used; ask an administrator for a new one',
          Code.PermissionDenied,
        );
      return {};
    },
    changePassword({currentPassword}) {
      if (currentPassword === 'wrong')
        throw new ConnectError(
          'Cannot change the password: the present one is wrong; type it again',
          Code.PermissionDenied,
        );
      return {};
    },
  });
};

export const addTokens: MockNoun = router => {
  const tokens: MessageInitShape<typeof ApiTokenSchema>[] = [
    {
      id: '00000000-0000-7000-8000-0000000000a1',
      name: 'ci',
      username: 'ada',
      permission: Permission.OPERATE,
      expireTime: timestampFromMs(Date.now() + 60 * dayMs),
    },
  ];
  router.service(TokenService, {
    listApiTokens: () => ({tokens}),
    createApiToken({name, permission}) {
      const apiToken = {id: 'a2', name, permission, username: 'ada'};
      tokens.unshift(apiToken);
      return {apiToken, token: 'muster_token_shown_once'};
    },
    revokeApiToken({id}) {
      const token = tokens.find(token => token.id === id);
      if (token) token.revoked = true;
      return {};
    },
  });
};
