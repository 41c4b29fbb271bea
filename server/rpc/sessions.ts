import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {HandlerContext, ServiceImpl} from '@connectrpc/connect';
import {
  GetCallerResponse_GrantSchema,
  type Session,
  Session_Method,
  SessionSchema,
  type SessionService,
} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {accessTokenSeconds} from '../domain/access-tokens.ts';
import type {BrowserSessions, SignedInBrowser} from '../domain/browser-sessions.ts';
import type {DescribeCaller, Grant} from '../domain/caller-view.ts';
import type {OidcLogins} from '../domain/oidc.ts';
import type {SessionList} from '../domain/session-list.ts';
import type {Sessions, SignedIn, Tokens} from '../domain/sessions.ts';
import type {Users} from '../domain/users.ts';
import {DomainError} from '../errors.ts';
import manifest from '../package.json' with {type: 'json'};
import type {SessionMethod, SessionRow} from '../store/sessions.ts';
import {
  browserKey,
  clearOidcCookie,
  clearSessionCookie,
  requireOwnPage,
  setOidcCookie,
  setSessionCookie,
} from './browsers.ts';
import {callerKey} from './caller.ts';
import {permissionsOf} from './permissions.ts';
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

/** The answer of a sign-in in a browser: the secret is in its cookie only. */
function enter(context: HandlerContext, signedIn: SignedInBrowser) {
  setSessionCookie(context, signedIn);
  const {expireTime, user} = signedIn;
  return {expiresAt: timestampFromDate(expireTime), user: toUserMessage(user)};
}

const toGrant = ({workspace, role}: Grant) =>
  create(GetCallerResponse_GrantSchema, {
    workspaceId: workspace?.id ?? '',
    workspaceName: workspace?.name ?? '',
    role,
    permissions: [...permissionsOf(role)],
  });

export const sessionService = ({
  sessions,
  browserSessions,
  sessionList,
  oidc,
  users,
  describeCaller,
}: {
  sessions: Sessions;
  browserSessions: BrowserSessions;
  sessionList: SessionList;
  oidc: OidcLogins;
  users: Users;
  describeCaller: DescribeCaller;
}): ServiceImpl<typeof SessionService> => ({
  async login({username, password, cookie}, context) {
    const {address} = context.values.get(callerKey);
    const credentials = {username, password};
    if (!cookie) return toLogin(await sessions.logIn(credentials, address));
    const {sessionSecret: replaces} = requireOwnPage(context.values, 'sign in');
    return enter(context, await browserSessions.logIn(credentials, {address, replaces}));
  },

  async refreshSession({refreshToken}, {values}) {
    return toTokens(await sessions.refresh(refreshToken, values.get(callerKey).address));
  },

  async logout({refreshToken}, context) {
    if (refreshToken !== '') {
      await sessions.logOut(refreshToken);
      return {};
    }
    if (!context.values.get(browserKey).isBrowser)
      throw new DomainError(
        'invalid_argument',
        'Cannot sign out: give the refresh_token of the session to end',
      );
    const {sessionSecret} = requireOwnPage(context.values, 'sign out');
    if (sessionSecret) await browserSessions.logOut(sessionSecret);
    clearSessionCookie(context);
    return {};
  },

  async beginOidcLogin({redirectUrl, cookie}, context) {
    if (cookie) requireOwnPage(context.values, 'sign in');
    const {address} = context.values.get(callerKey);
    const {authorizationUrl, loginSecret} = await oidc.begin(redirectUrl, address);
    if (!cookie) return {authorizationUrl, loginSecret};
    setOidcCookie(context, loginSecret);
    return {authorizationUrl};
  },

  async completeOidcLogin({loginSecret, callbackUrl, cookie}, context) {
    const {address} = context.values.get(callerKey);
    if (!cookie) return toLogin(await oidc.complete({loginSecret, callbackUrl}, address));
    const {oidcSecret = '', sessionSecret} = requireOwnPage(context.values, 'sign in');
    const answer = {loginSecret: oidcSecret, callbackUrl};
    const entry = {address, replaces: sessionSecret};
    const signedIn = await oidc.completeInBrowser(answer, entry);
    clearOidcCookie(context);
    return enter(context, signedIn);
  },

  async getSignInOptions() {
    const {providerName} = oidc;
    return {
      setupRequired: !(await users.hasAdministrator()),
      oidc: providerName !== undefined,
      oidcName: providerName ?? '',
      serverVersion: manifest.version,
    };
  },

  async getCaller(_request, {values}) {
    const {name, sessionId, ...known} = values.get(callerKey);
    const {user, grants, expireTime} = await describeCaller({sessionId, ...known});
    return {
      name,
      user: user && toUserMessage(user),
      grants: grants.map(toGrant),
      sessionId: sessionId ?? '',
      expireTime: expireTime && timestampFromDate(expireTime),
    };
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
