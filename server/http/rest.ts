import {once} from 'node:events';
import {setTimeout as sleep} from 'node:timers/promises';
import {
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type JsonValue,
  type Message,
  toJson,
} from '@bufbuild/protobuf';
import {reflect} from '@bufbuild/protobuf/reflect';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  type Interceptor,
} from '@connectrpc/connect';
import {createUniversalHandlerClient, type UniversalHandler} from '@connectrpc/connect/protocol';
import {createTransport} from '@connectrpc/connect/protocol-connect';
import {DomainError} from '../errors.ts';
import {contextOfPeer} from '../rpc/caller.ts';
import {frameSinkKey} from '../rpc/frame-sink.ts';
import {createFrameSink} from './frame-sink.ts';
import {createLocalStreams, type LocalStreams} from './local-streams.ts';
import {
  errorBody,
  readText,
  type Request,
  type Response,
  sendError,
  sendJson,
  writeHead,
} from './replies.ts';
import {readInput} from './rest-input.ts';
import {fieldToDialect, isObject, toDialect} from './rest-json.ts';
import {compileRoutes, findField, type Route} from './rest-routes.ts';
import {eventIdLine, resumeAfter} from './stream-cursor.ts';

const bodyBytesMax = 4 * 1024 * 1024;
const messageBytesMax = 64 * 1024 * 1024;
const keepAliveMs = 15_000;
/** A stream that has said nothing by then is taken as accepted. */
const quietHeadersMs = 250;

/** Answers a request, or says that no REST route has its path. */
export type RestHandler = (request: Request, response: Response) => boolean;

/**
 * Every method with a google.api.http rule as REST, through the same interceptors as an RPC. Throws at once when two routes clash or a rule
 * names a field that does not exist.
 */
export function createRest({
  routes: addRoutes,
  interceptors,
  publicOrigin,
}: {
  routes: (router: ConnectRouter) => void;
  interceptors: Interceptor[];
  publicOrigin?: string | undefined;
}): RestHandler {
  const router = createConnectRouter({interceptors, grpc: false, grpcWeb: false});
  const streams = createLocalStreams(interceptors);
  addRoutes(streams.noting(router));
  const routes = compileRoutes(router.handlers);

  return (request, response) => {
    const [path, query] = splitOnce(request.url ?? '', '?');
    const verb = request.method === 'HEAD' ? 'GET' : request.method;
    const matching = routes.filter(route => route.template.expression.test(path));
    const route = matching.find(candidate => candidate.verb === verb);
    if (route) void answer(route, {request, response, path, query, publicOrigin, streams});
    else if (matching.length > 0) refuseVerb(response, path, matching);
    return matching.length > 0;
  };
}

type Exchange = {
  readonly request: Request;
  readonly response: Response;
  readonly path: string;
  readonly query: string;
  readonly publicOrigin: string | undefined;
  readonly streams: LocalStreams;
};

type Call = Exchange & {readonly input: Message; readonly signal: AbortSignal};

async function answer(route: Route, exchange: Exchange): Promise<void> {
  const {request, response, path, query} = exchange;
  const gone = new AbortController();
  response.once('close', () => gone.abort(new ConnectError('Client left', Code.Canceled)));
  try {
    const input = readInput(route, {
      variables: route.template.expression.exec(path)?.slice(1) ?? [],
      query: new URLSearchParams(query),
      body: route.body === undefined ? '' : await readText(request, bodyBytesMax),
    });
    const {method} = route.handler;
    const call = {input, signal: gone.signal, ...exchange};
    if (isUnary(method)) await answerUnary(route, method, call);
    else if (isServerStream(method)) await answerStream(route, method, call);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) response.end();
    else refuse(response, error);
  }
}

async function answerUnary(
  route: Route,
  method: DescMethodUnary,
  {request, response, input, signal, publicOrigin}: Call,
): Promise<void> {
  const transport = transportFor(route.handler, contextOfPeer(request, publicOrigin));
  const headers = headersOf(request);
  const {message, header} = await transport.unary(method, signal, undefined, headers, input);
  // Of what a method says in headers, only this is for browsers.
  const cookies = header.getSetCookie();
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  const body = bodyOf(route, message);
  sendJson(response, 200, {body, headers: pageHeaders(route, message, input)});
}

/** Server-sent events when the client asks for them, else one JSON object a line. An error after the first message is the last one. */
async function answerStream(
  route: Route,
  method: DescMethodServerStreaming,
  {request, response, input, signal, publicOrigin, streams}: Call,
): Promise<void> {
  const events = request.headers.accept?.includes('text/event-stream') ?? false;
  const encode = (message: Message) => frameText(route, message, events);
  const kind = events ? 'events' : 'lines';
  const frames = createFrameSink({kind, encode, response, signal});
  const contextValues = contextOfPeer(request, publicOrigin).set(frameSinkKey, frames.sink);
  const lastId = request.headers['last-event-id'];
  if (events && typeof lastId === 'string') resumeAfter(method.input, input, lastId);
  const header = headersOf(request);
  const started = streams.open(method, {input, header, contextValues, signal});
  // A refusal comes with the first message: until then the status is open. A quiet stream must not wait for one, though.
  const first = started.then(messages => messages.next());
  // Whoever is no longer waited for fails in the loop below.
  first.catch(() => undefined);
  await Promise.race([started, frames.used]);
  const quiet = sleep(quietHeadersMs, undefined, {signal, ref: false});
  await Promise.race([first, frames.used, quiet]);

  writeHead(response, 200, {
    'content-type': events ? 'text/event-stream' : 'application/x-ndjson',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  if ('flushHeaders' in response) response.flushHeaders();
  else response.writeHead(200);
  frames.open();
  const beat = setInterval(() => events && response.write(': keep-alive\n\n'), keepAliveMs);
  let messages: AsyncIterator<Message> | undefined;
  try {
    messages = await started;
    for (let item = await first; !item.done; item = await messages.next()) {
      if (!response.write(encode(item.value))) await once(response, 'drain', {signal});
    }
  } catch (error) {
    if (signal.aborted) return;
    const text = JSON.stringify(errorBody(ConnectError.from(error)));
    response.write(events ? `event: error\ndata: ${text}\n\n` : `${text}\n`);
  } finally {
    clearInterval(beat);
    // Whoever left in the middle of it: what the call holds is let go.
    messages?.return?.().catch(() => undefined);
  }
  response.end();
}

function frameText(route: Route, message: Message, events: boolean): string {
  const text = JSON.stringify(bodyOf(route, message));
  if (!events) return `${text}\n`;
  return `data: ${text}\n${eventIdLine(route.handler.method.output, message)}\n`;
}

const isUnary = (method: DescMethod): method is DescMethodUnary => method.methodKind === 'unary';

const isServerStream = (method: DescMethod): method is DescMethodServerStreaming =>
  method.methodKind === 'server_streaming';

/** In memory; the handler is told in its context what no header may claim, as the peer's address. */
function transportFor(handler: UniversalHandler, contextValues: ContextValues) {
  const call: UniversalHandler = Object.assign(
    (request: Parameters<UniversalHandler>[0]) => handler({...request, contextValues}),
    handler,
  );
  return createTransport({
    httpClient: createUniversalHandlerClient([call]),
    baseUrl: 'http://in-memory',
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    readMaxBytes: messageBytesMax,
    writeMaxBytes: messageBytesMax,
  });
}

function headersOf({headers}: Request): Headers {
  const forwarded = new Headers();
  for (const name of ['authorization', 'user-agent', 'traceparent']) {
    const value = headers[name];
    if (typeof value === 'string') forwarded.set(name, value);
  }
  return forwarded;
}

function bodyOf({handler, responseBody}: Route, message: Message): JsonValue {
  const {output} = handler.method;
  const options = {useProtoFieldName: true, alwaysEmitImplicit: true} as const;
  const json = toJson(output, message, options);
  if (!responseBody) return toDialect(output, json);
  const value = isObject(json) ? json[responseBody.name] : undefined;
  return value === undefined ? null : fieldToDialect(responseBody, value);
}

/** A bare list has no place for these in its body. The total is there when it was asked for. */
function pageHeaders(
  {handler, responseBody}: Route,
  message: Message,
  input: Message,
): Readonly<Record<string, string>> {
  const {input: asked, output} = handler.method;
  if (!responseBody) return {};
  const next = valueOf(output, message, 'next_page_token');
  const counted = valueOf(asked, input, 'count_total') === true;
  const estimated = valueOf(output, message, 'total_estimated') === true;
  return {
    ...(typeof next === 'string' && next !== '' ? {'next-page-token': next} : {}),
    ...(counted ? {'total-size': String(valueOf(output, message, 'total_size'))} : {}),
    ...(counted && estimated ? {'total-estimated': 'true'} : {}),
  };
}

function valueOf(type: DescMessage, message: Message, name: string): unknown {
  const field = findField(type, name);
  return field && reflect(type, message).get(field);
}

function refuseVerb(response: Response, path: string, matching: readonly Route[]): void {
  const allowed = new Set(
    matching.flatMap(({verb}) => (verb === 'GET' ? ['GET', 'HEAD'] : [verb])),
  );
  const allow = [...allowed].join(', ');
  sendError(
    response,
    new ConnectError(
      `Cannot ${response.req.method} "${path}": it takes ${allow}`,
      Code.Unimplemented,
    ),
    {status: 405, headers: {allow}},
  );
}

/** What this file finds wrong itself is a DomainError; what the call says has passed the interceptors. */
function refuse(response: Response, error: unknown): void {
  if (!(error instanceof DomainError)) sendError(response, ConnectError.from(error));
  else if (error.kind === 'resource_exhausted')
    sendError(response, new ConnectError(error.message, Code.ResourceExhausted), {status: 413});
  else sendError(response, new ConnectError(error.message, Code.InvalidArgument));
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const cut = text.indexOf(separator);
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + 1)];
}
