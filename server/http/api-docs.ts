import {createHash} from 'node:crypto';
import {Code, ConnectError, type ConnectRouter, createConnectRouter} from '@connectrpc/connect';
import manifest from '../package.json' with {type: 'json'};
import {type ApiDocument, apiPage, apiPagePolicy} from './api-docs-page.ts';
import {describeApi} from './openapi.ts';
import {
  type Headers,
  type Request,
  type Response,
  sendError,
  sendText,
  writeHead,
} from './replies.ts';
import {compileRoutes} from './rest-routes.ts';

const cacheSeconds = 300;

/** `/openapi.json` and `/api-docs`, the same for everybody: both tell what is in the public contract. Made at the first request, since a start shall not wait for them. */
export function createApiDocs(
  routes: (router: ConnectRouter) => void,
): (request: Request, response: Response) => boolean {
  let pages: ReadonlyMap<string, Page> | undefined;
  return (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    if (path !== '/openapi.json' && path !== '/api-docs') return false;
    pages ??= makePages(routes);
    const page = pages.get(path);
    if (page) answer(page, request, response);
    return page !== undefined;
  };
}

type Page = {readonly body: string; readonly headers: Headers & {readonly etag: string}};

function makePages(routes: (router: ConnectRouter) => void): ReadonlyMap<string, Page> {
  const router = createConnectRouter();
  routes(router);
  const document = describeApi(compileRoutes(router.handlers), manifest.version);
  return new Map([
    [
      '/openapi.json',
      pageOf(`${JSON.stringify(document)}\n`, {
        'content-type': 'application/json',
        // Viewers and generators in a browser come from elsewhere; nothing here depends on who asks.
        'access-control-allow-origin': '*',
      }),
    ],
    [
      '/api-docs',
      pageOf(apiPage(document as unknown as ApiDocument), {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': apiPagePolicy,
        'referrer-policy': 'no-referrer',
      }),
    ],
  ]);
}

function pageOf(body: string, headers: Headers): Page {
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return {body, headers: {...headers, etag, 'cache-control': `public, max-age=${cacheSeconds}`}};
}

function answer({body, headers}: Page, request: Request, response: Response): void {
  const {method} = request;
  if (method !== 'GET' && method !== 'HEAD') {
    const message = `Cannot ${method} "${request.url}": it takes GET, HEAD`;
    sendError(response, new ConnectError(message, Code.Unimplemented), {
      status: 405,
      headers: {allow: 'GET, HEAD'},
    });
    return;
  }
  if (!matches(request.headers['if-none-match'], headers.etag)) {
    sendText(response, 200, {body, headers});
    return;
  }
  writeHead(response, 304, headers);
  response.end();
}

const matches = (header: string | undefined, etag: string): boolean =>
  (header ?? '').split(',').some(item => ['*', etag, `W/${etag}`].includes(item.trim()));
