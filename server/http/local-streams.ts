import {create, type DescMethodServerStreaming, type Message} from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createServiceImplSpec,
  type Interceptor,
  type MethodImplSpec,
  type StreamRequest,
} from '@connectrpc/connect';

type ServerStream = Extract<MethodImplSpec, {kind: 'server_streaming'}>;

export type LocalCall = {
  readonly input: Message;
  readonly header: Headers;
  readonly contextValues: ContextValues;
  readonly signal: AbortSignal;
};

export type LocalStreams = ReturnType<typeof createLocalStreams>;

/**
 * Streams for REST: through the same interceptors as an RPC, but from hand to hand. What a client and a server of the protocol in one process hold
 * for a call that waits is four times as much as all the rest of it.
 */
export function createLocalStreams(interceptors: readonly Interceptor[]) {
  const streams = new Map<string, ServerStream>();

  const invoke: Next = async request => {
    const spec = streams.get(keyOf(request.method));
    if (!request.stream || !spec) throw unknown(request.method);
    const {service, signal, contextValues: values, header: requestHeader, url} = request;
    const input = await firstOf(request.message);
    const [header, trailer] = [new Headers(), new Headers()];
    const context = {
      ...{service, method: spec.method, signal, values, requestHeader, url},
      ...{requestMethod: 'POST', protocolName: 'local', timeoutMs: () => undefined},
      ...{responseHeader: header, responseTrailer: trailer},
    };
    const message = messagesOf(spec, spec.impl(input, context));
    return {stream: true, service, method: spec.method, header, trailer, message};
  };
  const call = interceptors.reduceRight((next, interceptor) => interceptor(next), invoke);

  return {
    /** The same router; what is added to it can be called here, too. */
    noting(router: ConnectRouter): ConnectRouter {
      const noted: ConnectRouter = {
        ...router,
        service(service, implementation, options) {
          router.service(service, implementation, options);
          for (const spec of Object.values(createServiceImplSpec(service, implementation).methods))
            if (spec.kind === 'server_streaming') streams.set(keyOf(spec.method), spec);
          return noted;
        },
      };
      return noted;
    },

    /** Rejects when the call is refused, at the latest with the first message. */
    async open(
      method: DescMethodServerStreaming,
      {input, ...request}: LocalCall,
    ): Promise<AsyncIterator<Message>> {
      const asked = {stream: true, method, service: method.parent, message: single(input)} as const;
      const about = {requestMethod: 'POST', url: `http://in-memory/${keyOf(method)}`};
      const response = await call({...asked, ...about, ...request});
      if (!response.stream) throw unknown(method);
      return response.message[Symbol.asyncIterator]();
    },
  };
}

type Next = Parameters<Interceptor>[0];

const keyOf = ({parent, name}: StreamRequest['method'] | Parameters<Next>[0]['method']): string =>
  `${parent.typeName}/${name}`;

async function* single(message: Message) {
  yield message;
}

async function firstOf(messages: AsyncIterable<Message>): Promise<Message> {
  for await (const message of messages) return message;
  throw new ConnectError('Cannot open a stream without a request', Code.Internal);
}

async function* messagesOf(
  {method}: ServerStream,
  messages: ReturnType<ServerStream['impl']>,
): AsyncGenerator<Message> {
  for await (const message of messages) yield create(method.output, message);
}

const unknown = (method: {readonly name: string}): ConnectError =>
  new ConnectError(`Cannot call ${method.name}: it is not served`, Code.Unimplemented);
