import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import type {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import type {Sessions} from '../domain/sessions.ts';
import type {Users} from '../domain/users.ts';
import {callerKey} from './caller.ts';
import {toUserMessage} from './users.ts';

export const sessionService = ({
  sessions,
  users,
}: {
  sessions: Sessions;
  users: Users;
}): ServiceImpl<typeof SessionService> => ({
  async login(request, {values}) {
    const signedIn = await sessions.logIn(request, values.get(callerKey).address);
    const {token, expireTime, refreshToken, user} = signedIn;
    const expiresAt = timestampFromDate(expireTime);
    return {token, expiresAt, refreshToken, user: toUserMessage(user)};
  },

  async refreshSession(request) {
    const {token, expireTime, refreshToken} = await sessions.refresh(request.refreshToken);
    return {token, expiresAt: timestampFromDate(expireTime), refreshToken};
  },

  async logout({refreshToken}) {
    await sessions.logOut(refreshToken);
    return {};
  },

  async completeSetup({code, username, password, email}) {
    return {user: toUserMessage(await users.completeSetup(code, {username, password, email}))};
  },

  async createSetupLink(_request, {values}) {
    const {path, expireTime} = await users.createSetupLink(values.get(callerKey).name);
    return {path, expireTime: timestampFromDate(expireTime)};
  },
});
