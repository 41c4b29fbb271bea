import {Readable} from 'node:stream';
import {Code, ConnectError} from '@connectrpc/connect';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Registry} from 'prom-client';
import {DomainError} from '../errors.ts';
import {identifyHeader, type Identify, peerAddress} from '../rpc/caller.ts';
import {codeOf} from '../rpc/error-interceptor.ts';
import {allowedRoles} from '../rpc/permissions.ts';
import {type Body, type Exposition, type Format, formats} from './exposition.ts';
import {type Request, type Response, sendError, writeHead} from './replies.ts';
import type {HttpHandler} from './router.ts';
import type {ScrapeNetworks} from './scrape-networks.ts';
import {isDatabaseUnavailable} from '../store/db.ts';

/** What a proxy adds: whoever asks through one is not the proxy's host. */
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

type Page = {readonly contentType: string; readonly encoding?: 'gzip'; readonly body: Body};
type ReadPage = (request: Request) => Promise<Page>;

/**
 * The pages that Prometheus reads, by path: "/api/v1/metrics" is the fleet, "/metrics" this process. Without a token from loopback and the scrape
 * networks, and else with one that may view.
 */
export function createScrapeHandler(deps: {
  readonly pages: ReadonlyMap<string, ReadPage>;
  readonly networks: ScrapeNetworks;
  readonly identify: Identify;
  readonly log: Logger;
}): HttpHandler {
  return (request, response) => {
    const read = deps.pages.get(request.url?.split('?', 1)[0] ?? '');
    if (!read) return false;
    answer(request, response, async () => {
      await admit(request, deps);
      return read(request);
    }).catch((error: unknown) => sendError(response, toConnectError(error, deps.log)));
    return true;
  };
}

function toConnectError(error: unknown, log: Logger): ConnectError {
  if (error instanceof ConnectError) return error;
  if (error instanceof DomainError) return new ConnectError(error.message, codeOf(error.kind));
  if (isDatabaseUnavailable(error))
    return new ConnectError(
      'Cannot gather metrics: the database does not answer; try again in a few seconds',
      Code.Unavailable,
    );
  log.error({err: error}, 'cannot gather metrics');
  return new ConnectError('Internal error', Code.Internal);
}

async function answer(
  request: Request,
  response: Response,
  read: () => Promise<Page>,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const error = new ConnectError('Cannot write metrics here: GET reads them', Code.Unimplemented);
    sendError(response, error, {status: 405, headers: {allow: 'GET, HEAD'}});
    return;
  }
  const {body, contentType, encoding} = await read();
  writeHead(response, 200, {
    'content-type': contentType,
    'content-length': String(body.length),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    vary: 'accept, accept-encoding',
    ...(encoding ? {'content-encoding': encoding} : {}),
  });
  if (request.method === 'HEAD') response.end();
  else Readable.from(body.pieces, {objectMode: false}).pipe(response);
}

/** Throws when the caller may not see it. */
async function admit(
  request: Request,
  {networks, identify}: {networks: ScrapeNetworks; identify: Identify},
): Promise<void> {
  const {headers, socket} = request;
  const address = peerAddress(socket.remoteAddress);
  const isProxied = proxyHeaders.some(name => headers[name] !== undefined);
  if (!isProxied && networks.covers(address)) return;

  const {name, role} = await identifyHeader(headers.authorization, address, identify);
  if (allowedRoles(MetricsService.method.getLatestMetrics).includes(role)) return;
  if (role === 'anonymous')
    throw new ConnectError(
      'Cannot read metrics without a token from this address: send "Authorization: Bearer <token>", or add its network to METRICS_SCRAPE_NETWORKS',
      Code.Unauthenticated,
    );
  throw new ConnectError(
    `Cannot read metrics as "${name}" with role "${role}"`,
    Code.PermissionDenied,
  );
}

export const fleetPage =
  (exposition: Exposition): ReadPage =>
  async ({headers}) => {
    const format = formatOf(headers.accept ?? '');
    const accepted = headers['accept-encoding'] ?? '';
    const compressed = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(accepted);
    const body = await exposition.read(format, compressed);
    return {body, contentType: formats[format], ...(compressed ? {encoding: 'gzip' as const} : {})};
  };

export const processPage =
  (registry: Registry): ReadPage =>
  async () => {
    const page = Buffer.from(await registry.metrics());
    return {body: {pieces: [page], length: page.length}, contentType: registry.contentType};
  };

/** Prometheus names both and weighs them; a browser names neither. */
function formatOf(accept: string): Format {
  const weights = accept.split(',').map(part => {
    const [type = '', ...parameters] = part.split(';').map(text => text.trim());
    const quality = parameters.find(text => text.startsWith('q='))?.slice(2) ?? '1';
    return {type, quality: Number(quality) || 0};
  });
  const weightOf = (name: string) =>
    Math.max(0, ...weights.filter(({type}) => type === name).map(({quality}) => quality));
  const openMetrics = weightOf('application/openmetrics-text');
  return openMetrics > 0 && openMetrics >= weightOf('text/plain') ? 'openMetrics' : 'text';
}
