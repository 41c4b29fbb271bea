import {type ConnectRouter, createRouterTransport, type Transport} from '@connectrpc/connect';
import {createLogger} from '@muster/runtime/log.ts';
import {type Caller, callerKey} from '@muster/server/rpc/caller.ts';
import {mapErrors} from '@muster/server/rpc/error-interceptor.ts';

/** Services without a port and without a door: errors are those of a server, and the caller is who the test says, at each call anew. */
export const serveInMemory = (
  routes: (router: ConnectRouter) => void,
  caller?: () => Caller,
): Transport =>
  createRouterTransport(routes, {
    router: {
      interceptors: [
        mapErrors(createLogger('test', 'error')),
        next => request => {
          if (caller) request.contextValues.set(callerKey, caller());
          return next(request);
        },
      ],
    },
  });

/** What a service asks about the moment, while NATS has always been there. */
export const viewOf = (clock: {readonly now: Date}) => ({
  now: () => clock.now,
  busStatus: () => ({connected: true, since: new Date(0)}),
});
