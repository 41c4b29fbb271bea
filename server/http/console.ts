import type {Logger} from '@muster/runtime/log.ts';
import {type ConsoleFile, type ConsoleFiles, type Encoding, readConsole} from './console-files.ts';
import {type Headers, type Request, type Response, sendText, writeHead} from './replies.ts';

const assetCacheSeconds = 31_536_000;

/** Only what the server itself serves; nothing inline, ever. */
export const consolePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const securityHeaders: Headers = {
  'content-security-policy': consolePolicy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  // Within the server: over plain HTTP it is what tells a download from the console from one that another site starts (rpc/browsers.ts).
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
};

const notBuilt =
  'The console is not built: run "npm run bundle" in the checkout of the server, or set CONSOLE_DIR, and start the server again. ' +
  'Meanwhile /api-docs describes the API, and the "muster" command does everything.\n';

export type Console = {
  readonly isBuilt: boolean;
  /** Asked last: takes the pages of the console, which only the console knows. */
  readonly answer: (request: Request, response: Response) => boolean;
};

/** The console from memory; without one, a sentence in its place. */
export async function openConsole(folder: string, log: Logger): Promise<Console> {
  const files = await readConsole(folder);
  if (files) return createConsole(files);
  log.warn({folder}, 'the console is not built: "npm run bundle" does it');
  return {isBuilt: false, answer: answerNotBuilt};
}

function createConsole(files: ConsoleFiles): Console {
  const index = files.get('/index.html');
  return {
    isBuilt: true,
    answer(request, response) {
      if (!onlyReads(request)) return false;
      const path = pathOf(request);
      const file = files.get(path) ?? (isNavigation(request, path) ? index : undefined);
      if (file) send(file, request, response);
      return file !== undefined;
    },
  };
}

function answerNotBuilt(request: Request, response: Response): boolean {
  if (!onlyReads(request) || !isNavigation(request, pathOf(request))) return false;
  const headers = {'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store'};
  sendText(response, 404, {body: notBuilt, headers});
  return true;
}

const pathOf = ({url = ''}: Request): string => url.split('?', 1)[0] ?? '';

const onlyReads = ({method}: Request): boolean => method === 'GET' || method === 'HEAD';

/** Of programs; what they ask for in vain is told to them as JSON, although a browser may ask, too. The first segment of an RPC has dots. */
const reserved = /^\/(?:api|v1|blobs|assets)(?:\/|$)|^\/[^/]*\.[^/]*\//;
const dotSegment = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
const fileName = /\.[^/]*$/;

/** A person goes to a page: each is the same file, and the address says to the console which one. */
function isNavigation({headers}: Request, path: string): boolean {
  const wantsPage = headers.accept?.includes('text/html') ?? false;
  return wantsPage && ![reserved, dotSegment, fileName].some(pattern => pattern.test(path));
}

function send(file: ConsoleFile, request: Request, response: Response): void {
  const encoding = pickEncoding(request.headers['accept-encoding'], file);
  const form = file.forms.get(encoding);
  if (!form) throw new Error('A file of the console has no content');
  const headers: Headers = {
    ...securityHeaders,
    'cache-control': file.immutable
      ? `public, max-age=${assetCacheSeconds}, immutable`
      : 'no-cache',
    etag: form.etag,
    ...(file.forms.size > 1 ? {vary: 'Accept-Encoding'} : {}),
  };
  if (isKnown(request.headers['if-none-match'], form.etag)) {
    writeHead(response, 304, headers);
    response.end();
    return;
  }
  writeHead(response, 200, {
    ...headers,
    'content-type': file.type,
    'content-length': String(form.body.length),
    ...(encoding === 'identity' ? {} : {'content-encoding': encoding}),
  });
  if (request.method === 'HEAD') response.end();
  else response.end(form.body);
}

const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  header.split(',').some(known => ['*', etag].includes(known.trim().replace(/^W\//, '')));

const preferred = ['br', 'gzip'] as const satisfies readonly Encoding[];

/** RFC 9110, 12.5.3: what is named with q=0 is not taken, and "*" stands for what is not named. */
function pickEncoding(header: string | string[] | undefined, {forms}: ConsoleFile): Encoding {
  const weights = new Map(
    String(header ?? '')
      .toLowerCase()
      .split(',')
      .map(item => {
        const [name = '', ...parameters] = item.split(';').map(part => part.trim());
        const weight = parameters.find(parameter => parameter.startsWith('q='))?.slice(2);
        return [name, Number(weight ?? 1)];
      }),
  );
  const isTaken = (name: Encoding) => (weights.get(name) ?? weights.get('*') ?? 0) > 0;
  return preferred.find(name => forms.has(name) && isTaken(name)) ?? 'identity';
}
