import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

const all = [
  Permission.VIEW,
  Permission.DEVELOP,
  Permission.OPERATE,
  Permission.ADMINISTER,
] as const;

/** The password "wrong" is; every other is right. */
export const addSessions: MockNoun = router => {
  let signedIn = true;
  router.service(SessionService, {
    login({username, password}) {
      if (password === 'wrong')
        throw new ConnectError(
          'Cannot sign in: user name or password is wrong',
          Code.Unauthenticated,
        );
      signedIn = true;
      return {user: {username}};
    },
    logout() {
      signedIn = false;
      return {};
    },
    getSignInOptions: () => ({oidc: true, oidcName: 'Example', serverVersion: '0.1.0'}),
    getCaller() {
      if (!signedIn) throw new ConnectError('Nobody is signed in', Code.Unauthenticated);
      return {
        name: 'user:ada',
        user: {username: 'ada'},
        grants: [{role: 'admin', permissions: [...all]}],
      };
    },
  });
};
