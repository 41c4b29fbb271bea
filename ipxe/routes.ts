import type {IncomingMessage, ServerResponse} from 'node:http';
import {BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {answerHealth, type Readiness} from '@muster/runtime/health.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Answers} from './answers.ts';
import type {Book} from './book.ts';
import {parseBootRequest, toBootClient} from './boot-request.ts';
import type {Hops} from './hops.ts';
import type {LoaderDesk} from './loader-desk.ts';
import type {Metrics} from './metrics.ts';
import type {NixCacheRoute} from './nix-cache-route.ts';
import {limitPerSecond} from './rate-limit.ts';
import {
  type Exchange,
  type Refuse,
  sendReply,
  sendScript,
  sendText,
  toExchange,
} from './respond.ts';
import {askAgainScript, bootstrapScript, emptyScript} from './script.ts';
import {joinSession} from './session-of.ts';
import type {Sessions} from './sessions.ts';

const reportCharactersMax = 64;
const linesPerSecondMax = 20;

export type RouteDeps = {
  readonly answers: Answers;
  readonly book: Book;
  readonly sessions: Sessions;
  readonly hops: Hops;
  readonly loaders: LoaderDesk;
  readonly serveArtifact: (exchange: Exchange, sha256: string, name: string) => Promise<void>;
  readonly serveToken: (exchange: Exchange, form: 'cpio' | 'json') => Promise<void>;
  readonly nixCache: NixCacheRoute;
  readonly metrics: Metrics;
  readonly readiness: () => Readiness;
  readonly refuse: Refuse;
  readonly log: Logger;
};

type Route = readonly [RegExp, (exchange: Exchange, ...parts: string[]) => void | Promise<void>];

/** Everything that the socket's fast path does not answer (docs/boot.md). GET and HEAD only. */
export function createRoutes(deps: RouteDeps) {
  const {answers, book, sessions, hops, loaders, metrics, refuse, log} = deps;
  const mayLog = limitPerSecond(linesPerSecondMax, () => performance.now());

  async function serveBootScript(exchange: Exchange) {
    const {response, query, hasQuery, ipAddress} = exchange;
    if (!hasQuery) {
      metrics.request('bootstrap');
      return sendScript(response, bootstrapScript);
    }
    metrics.request('script_query');
    sendReply(response, await answers.answer(parseBootRequest(query), ipAddress));
  }

  async function serveTag(exchange: Exchange, tag: string) {
    const {response, query, hasQuery, ipAddress} = exchange;
    metrics.request(hasQuery ? 'script_query' : 'script_tag');
    if (hasQuery)
      return sendReply(response, await answers.answer(parseBootRequest(query, tag), ipAddress));
    const reply = await answers.answerTag(tag, ipAddress);
    if (reply) return sendReply(response, reply);
    metrics.request('ask_again');
    sendScript(response, askAgainScript);
  }

  function takeReport(exchange: Exchange) {
    const {query, ipAddress, response} = exchange;
    metrics.request('report');
    metrics.failureReported();
    const request = parseBootRequest(query);
    const session = joinSession({book, sessions, exchange, request});
    session.handedOver = false;
    const said = (name: string) =>
      (query.get(name) ?? '').replaceAll(/[^\w.-]/g, '').slice(0, reportCharactersMax);
    const failure = {step: said('step'), errno: said('errno'), nic: said('nic')};
    if (mayLog())
      log.warn({...failure, ...request.keys, ipAddress}, 'a boot script reports a failed step');
    hops.add({
      kind: BootHop_Kind.FAILURE,
      session: session.id,
      client: toBootClient(request, ipAddress, session.id),
      detail: [failure.step, failure.errno, failure.nic].filter(Boolean).join(' '),
    });
    sendScript(response, emptyScript);
  }

  async function serveLoader(exchange: Exchange, name: string) {
    const {request, response, ipAddress} = exchange;
    metrics.request('loader');
    const found = await loaders.hand(name, ipAddress);
    if ('kind' in found) return refuse(exchange, 404, found.message);
    const {content} = found;
    response.writeHead(200, {
      'content-type': 'application/efi',
      'content-length': content.length,
      'cache-control': 'no-cache',
    });
    if (request.method === 'GET')
      response.once('finish', () => void loaders.note(found, ipAddress, content.length));
    response.end(content);
  }

  async function serveMetrics({response}: Exchange) {
    sendText(response, 200, await metrics.text(), {'content-type': metrics.contentType});
  }

  function serveHealth({path, response}: Exchange) {
    metrics.request('health');
    const health = answerHealth(path, deps.readiness);
    if (health)
      sendText(response, health.status, health.body, {'content-type': 'application/json'});
  }

  const routes: readonly Route[] = [
    [/^\/boot\.ipxe$/, serveBootScript],
    [/^\/nixos\/machines\/([^/]{1,128})\.ipxe$/, serveTag],
    [/^\/images\/sha256\/([0-9a-f]{64})\/([a-zA-Z0-9][\w.-]{0,63})$/, deps.serveArtifact],
    [
      /^\/boot\/token\.(cpio|json)$/,
      (exchange, form) => deps.serveToken(exchange, form === 'json' ? 'json' : 'cpio'),
    ],
    [/^\/boot\/report$/, takeReport],
    [/^\/loaders\/([\w.-]{1,64})$/, serveLoader],
    [/^\/nix-cache\/nix-cache-info$/, deps.nixCache.serveInfo],
    [/^\/nix-cache\/([0-9a-df-np-sv-z]{32})\.narinfo$/, deps.nixCache.serveNarInfo],
    [/^\/nix-cache\/nar\/([0-9a-f]{64})\.nar\.zst$/, deps.nixCache.serveNar],
    [/^\/(?:healthz|readyz)$/, serveHealth],
    [/^\/metrics$/, serveMetrics],
  ];

  async function route(exchange: Exchange): Promise<void> {
    const {request, path} = exchange;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return refuse(exchange, 405, `Cannot ${request.method} here: this is read only`);
    for (const [pattern, serve] of routes) {
      const match = pattern.exec(path);
      if (match) return serve(exchange, ...match.slice(1));
    }
    refuse(exchange, 404, 'Nothing is served under this path');
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const exchange = toExchange(request, response);
    if (!exchange) {
      metrics.request('refused');
      return sendText(response, 400, 'Cannot read this request target\n');
    }
    // Bodies mean nothing here; what arrives is thrown away.
    request.resume();
    void route(exchange).catch((error: unknown) => {
      log.error({err: error, path: exchange.path.slice(0, 256)}, 'request failed');
      if (response.headersSent) response.destroy();
      else sendText(response, 500, 'Internal error\n');
    });
  };
}
