import {Code, ConnectError, type ConnectRouter, type Interceptor} from '@connectrpc/connect';
import {connectNodeAdapter} from '@connectrpc/connect-node';
import {answerHealth, type Readiness} from '@muster/runtime/health.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Handler} from '@muster/runtime/rpc-server.ts';
import {contextOfPeer} from '../rpc/caller.ts';
import {createApiDocs} from './api-docs.ts';
import type {Console} from './console.ts';
import {type Request, type Response, sendError, sendText} from './replies.ts';
import {createRest} from './rest.ts';
import {answerSetup} from './setup-page.ts';

/** Of one RPC message, also after decompression; REST has the same limit for bodies. */
const messageBytesMax = 4 * 1024 * 1024;

/** Of an answer: to compress a page of a list costs more time than it saves on the way. */
const compressedBytesMin = 64 * 1024;

/** Answers the request and gives true, or leaves it alone and gives false. */
export type HttpHandler = (request: Request, response: Response) => boolean;

export type RouterOptions = {
  readonly routes: (router: ConnectRouter) => void;
  readonly interceptors: Interceptor[];
  readonly readiness: () => Readiness;
  /** Asked in their order before REST: the image store's, for instance. */
  readonly handlers: readonly HttpHandler[];
  /** Asked last. */
  readonly console?: Console;
  /** Where people reach this server when that is not its own port. */
  readonly publicOrigin?: string;
  readonly log: Logger;
  /** Ends every open call when the process stops. */
  readonly shutdown: AbortSignal;
};

/** Everything on the one port: RPC of every protocol, then health, the API's description, `handlers`, REST, the console. */
export function createRouter(options: RouterOptions): Handler {
  const {routes, interceptors, publicOrigin, log, shutdown} = options;
  const rest = createRest({routes, interceptors, publicOrigin});
  const others: readonly HttpHandler[] = [
    healthHandler(options.readiness),
    createApiDocs(routes),
    ...options.handlers,
    rest,
    // The console has a page of its own for this.
    ...(options.console?.isBuilt ? [] : [answerSetup]),
    ...(options.console ? [options.console.answer] : []),
  ];
  const fallback = (request: Request, response: Response) => {
    if (!others.some(handle => handle(request, response))) refusePath(request, response);
  };
  const rpc = connectNodeAdapter({
    routes,
    interceptors,
    fallback,
    readMaxBytes: messageBytesMax,
    compressMinBytes: compressedBytesMin,
    contextValues: request => contextOfPeer(request, publicOrigin),
    shutdownSignal: shutdown,
    jsonOptions: {ignoreUnknownFields: false},
  });

  return (request, response) => {
    try {
      rpc(request, response);
    } catch (error) {
      // The adapter throws at a missing or malformed Host before it has answered anything.
      log.debug({err: error}, 'malformed request');
      sendError(
        response,
        new ConnectError(
          'Cannot read the request: its Host or path is malformed',
          Code.InvalidArgument,
        ),
      );
    }
  };
}

const pathOf = ({url = ''}: Request) => url.split('?', 1)[0] ?? '';

function healthHandler(readiness: () => Readiness): HttpHandler {
  return (request, response) => {
    const answer = answerHealth(pathOf(request), readiness);
    if (!answer) return false;
    const headers = {'content-type': 'application/json', 'cache-control': 'no-store'};
    sendText(response, answer.status, {body: answer.body, headers});
    return true;
  };
}

function refusePath(request: Request, response: Response): void {
  sendError(
    response,
    new ConnectError(`Cannot ${request.method} "${pathOf(request)}": no such path`, Code.NotFound),
  );
}
