import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Session,
  Session_Method,
  SessionSchema,
  type SessionService,
} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {accessTokenSeconds} from '../domain/access-tokens.ts';
import type {OidcLogins} from '../domain/oidc.ts';
import type {SessionList} from '../domain/session-list.ts';
import type {Sessions, SignedIn, Tokens} from '../domain/sessions.ts';
import type {Users} from '../domain/users.ts';
import type {SessionMethod, SessionRow} from '../store/sessions.ts';
import {callerKey} from './caller.ts';
import {toUserMessage} from './users.ts';

const methods = {
  password: Session_Method.PASSWORD,
  oidc: Session_Method.OIDC,
} as const satisfies Record<SessionMethod, Session_Method>;

function toSessionMessage(row: SessionRow, currentId: string | undefined): Session {
  const {method, createTime, lastUseTime, expireTime, ...same} = row;
  return create(SessionSchema, {
    ...same,
    method: methods[method],
    createTime: timestampFromDate(createTime),
    lastUseTime: timestampFromDate(lastUseTime),
    expireTime: timestampFromDate(expireTime),
    current: row.id === currentId,
  });
}

const toTokens = ({token, expireTime, refreshToken}: Tokens) => ({
  token,
  expiresAt: timestampFromDate(expireTime),
  expiresIn: accessTokenSeconds,
  refreshToken,
});

const toLogin = (signedIn: SignedIn) => ({
  ...toTokens(signedIn),
  user: toUserMessage(signedIn.user),
});

export const sessionService = ({
  sessions,
  sessionList,
  oidc,
  users,
}: {
  sessions: Sessions;
  sessionList: SessionList;
  oidc: OidcLogins;
  users: Users;
}): ServiceImpl<typeof SessionService> => ({
  async login({username, password}, {values}) {
    return toLogin(await sessions.logIn({username, password}, values.get(callerKey).address));
  },

  async refreshSession({refreshToken}, {values}) {
    return toTokens(await sessions.refresh(refreshToken, values.get(callerKey).address));
  },

  async logout({refreshToken}) {
    await sessions.logOut(refreshToken);
    return {};
  },

  async beginOidcLogin({redirectUrl}, {values}) {
    return oidc.begin(redirectUrl, values.get(callerKey).address);
  },

  async completeOidcLogin({loginSecret, callbackUrl}, {values}) {
    const answer = {loginSecret, callbackUrl};
    return toLogin(await oidc.complete(answer, values.get(callerKey).address));
  },

  async listSessions(request, {values}) {
    const caller = values.get(callerKey);
    const page = await sessionList.list(caller, request);
    return {
      sessions: page.sessions.map(row => toSessionMessage(row, caller.sessionId)),
      nextPageToken: page.nextPageToken,
    };
  },

  async revokeSession({id}, {values}) {
    await sessionList.revoke(values.get(callerKey), id);
    return {};
  },

  async revokeSessions({userId}, {values}) {
    return {revokedCount: await sessionList.revokeAll(values.get(callerKey), userId)};
  },

  async completeSetup({code, username, password, email}) {
    return {user: toUserMessage(await users.completeSetup(code, {username, password, email}))};
  },

  async createSetupLink(_request, {values}) {
    const {path, expireTime} = await users.createSetupLink(values.get(callerKey).name);
    return {path, expireTime: timestampFromDate(expireTime)};
  },
});
