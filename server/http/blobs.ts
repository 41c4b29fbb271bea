import type {OutgoingHttpHeaders} from 'node:http';
import {pipeline} from 'node:stream/promises';
import type {Logger} from '@muster/runtime/log.ts';
import {type BlobRefusal, type BlobStore, isDigest, parseRange} from '../domain/blobs.ts';
import type {Request, Response} from './replies.ts';

const prefix = '/blobs/sha256/';
const uploadIdleMs = 60_000;

/** Who asks; undefined when nothing proves it. People are signed in, services have a kind. */
export type BlobCaller = {
  readonly name?: string;
  readonly role?: string;
  readonly serviceKind?: 'edge' | 'builder' | undefined;
};

/** Into the audit. */
export type RecordUpload = (upload: {
  readonly actor: string;
  readonly address: string;
  readonly method: string;
  readonly resource: string;
  readonly durationMs: number;
}) => Promise<void>;

export type BlobsDeps = {
  readonly store: BlobStore;
  readonly authenticate: (request: Request) => Promise<BlobCaller | undefined>;
  readonly sizeBytesMax: number;
  readonly record?: RecordUpload;
  readonly log: Logger;
};

type Answer = {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly text?: string;
};

const refusals: Readonly<Record<BlobRefusal, {readonly status: number; readonly why: string}>> = {
  too_large: {status: 413, why: 'it is larger than the image store allows'},
  digest_mismatch: {status: 422, why: 'its content has another SHA-256'},
};

/**
 * The image store: GET and HEAD of `/blobs/sha256/<digest>` for everybody who has signed in, PUT for builders. Gives false for other paths.
 */
export const createBlobHandler =
  (deps: BlobsDeps) =>
  (request: Request, response: Response): boolean => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (!path.startsWith(prefix)) return false;
    void handle(deps, {request, response, digest: path.slice(prefix.length)}).catch(error =>
      fail(deps.log, request, response, error),
    );
    return true;
  };

type Exchange = {readonly request: Request; readonly response: Response; readonly digest: string};

async function handle(deps: BlobsDeps, exchange: Exchange): Promise<void> {
  const {request, digest} = exchange;
  if (!isDigest(digest))
    return answer(exchange, {
      status: 404,
      text: `Cannot find blob "${digest.slice(0, 100)}": a name is 64 lower-case hexadecimal digits`,
    });
  const caller = await deps.authenticate(request).catch(() => undefined);
  if (!caller)
    return answer(exchange, {
      status: 401,
      headers: {'www-authenticate': 'Bearer'},
      text: 'Cannot use the image store without a token: send "Authorization: Bearer <token>"',
    });

  // Whose machines a file is for, only images know: whoever sees some workspaces only is told of none, whether it is there or not.
  if (caller.role === 'member')
    return answer(exchange, {
      status: 403,
      text: 'Cannot use the image store: it takes a role that holds everywhere',
    });

  const {method} = request;
  // A builder that asks whether a file is there will name it in an image soon: until then it must not be collected.
  if (method === 'HEAD' && caller.serviceKind === 'builder') await deps.store.touch(digest);
  if (method === 'GET' || method === 'HEAD') return send(deps, exchange);
  if (method !== 'PUT')
    return answer(exchange, {
      status: 405,
      headers: {allow: 'GET, HEAD, PUT'},
      text: `Cannot ${method} a blob`,
    });
  if (caller.serviceKind !== 'builder')
    return answer(exchange, {status: 403, text: 'Cannot store a blob: only builders may'});
  return receive(deps, exchange, caller);
}

async function send({store}: BlobsDeps, exchange: Exchange): Promise<void> {
  const {request, response, digest} = exchange;
  const found = await store.stat(digest);
  if (!found) return answer(exchange, {status: 404, text: `Cannot find blob "${digest}"`});

  const {sizeBytes} = found;
  const etag = `"${digest}"`;
  const shared = {
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=31536000, immutable',
  };
  if (matches(request.headers['if-none-match'], etag))
    return answer(exchange, {status: 304, headers: shared});

  const {range: header, 'if-range': ifRange} = request.headers;
  const usable = request.method === 'GET' && (ifRange === undefined || ifRange === etag);
  const range = usable ? parseRange(header, sizeBytes) : undefined;
  if (range === 'unsatisfiable')
    return answer(exchange, {
      status: 416,
      headers: {...shared, 'content-range': `bytes */${sizeBytes}`},
    });

  const {start, end} = range ?? {start: 0, end: sizeBytes - 1};
  writeHead(response, range ? 206 : 200, {
    ...shared,
    'content-type': 'application/octet-stream',
    'content-length': end - start + 1,
    ...(range ? {'content-range': `bytes ${start}-${end}/${sizeBytes}`} : {}),
  });
  if (request.method === 'HEAD' || sizeBytes === 0) return void response.end();
  await pipeline(store.read(digest, {start, end}), response);
}

async function receive(deps: BlobsDeps, exchange: Exchange, caller: BlobCaller): Promise<void> {
  const {store, sizeBytesMax, record} = deps;
  const {request, response, digest} = exchange;
  const start = performance.now();
  if (Number(request.headers['content-length'] ?? 0) > sizeBytesMax)
    return refuse(exchange, 'too_large');
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  request.setTimeout(uploadIdleMs, () => request.destroy(new Error('The upload stood still')));
  // Early answers must reach the client: leaving the loop must not end its connection.
  const source = request.iterator({destroyOnReturn: false}) as AsyncIterable<Uint8Array>;
  if (await store.touch(digest)) {
    // A builder that tries again. Its bytes are read all the same, so that it gets to the answer.
    for await (const chunk of source) void chunk;
    request.setTimeout(0);
    return answer(exchange, {status: 200});
  }
  const refusal = await store.write(digest, source, sizeBytesMax);
  request.setTimeout(0);
  if (refusal) return refuse(exchange, refusal);
  await record?.({
    actor: caller.name ?? '',
    address: (request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
    method: 'PUT blob',
    resource: `blobs/${digest}`,
    durationMs: Math.round(performance.now() - start),
  });
  return answer(exchange, {status: 201});
}

function refuse(exchange: Exchange, refusal: BlobRefusal): void {
  const {status, why} = refusals[refusal];
  answer(exchange, {status, text: `Cannot store blob "${exchange.digest}": ${why}`});
}

/** An answer without a blob. What the client still sends is not read: on HTTP/1.1 its connection ends. */
function answer({request, response}: Exchange, {status, headers = {}, text = ''}: Answer): void {
  const body = text === '' || request.method === 'HEAD' ? '' : `${text}\n`;
  const unread = request.method === 'PUT' && !request.readableEnded;
  writeHead(response, status, {
    ...headers,
    ...(body === '' ? {} : {'content-type': 'text/plain; charset=utf-8'}),
    ...(status === 304 ? {} : {'content-length': Buffer.byteLength(body)}),
    ...(unread && request.httpVersionMajor === 1 ? {connection: 'close'} : {}),
  });
  response.end(body);
}

/** A client that went away is no failure of ours; anything else is logged once and told as such. */
function fail(log: Logger, request: Request, response: Response, error: unknown): void {
  const gone = request.destroyed || response.destroyed;
  log[gone ? 'debug' : 'error']({err: error, path: request.url}, 'blob request failed');
  if (response.headersSent) return void response.destroy();
  writeHead(response, 500, {'content-type': 'text/plain; charset=utf-8'});
  response.end('Internal error\n');
}

/** `writeHead` of HTTP/1.1 and of HTTP/2 have no call in common for the compiler. */
function writeHead(response: Response, status: number, headers: OutgoingHttpHeaders): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) response.setHeader(name, value);
}

const matches = (header: string | undefined, etag: string): boolean =>
  header !== undefined &&
  header.split(',').some(item => ['*', etag, `W/${etag}`].includes(item.trim()));
