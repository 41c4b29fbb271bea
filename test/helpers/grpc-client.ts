import {
  type DescMethodUnary,
  type DescMethodServerStreaming,
  type DescMethodBiDiStreaming,
  type DescMessage,
  type DescService,
  create,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import * as grpc from '@grpc/grpc-js';

/** A client of another make than the server's own library. An empty token is not sent. */
export function createGrpcClient(address: string, token: string) {
  const client = new grpc.Client(address, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  const pathOf = (method: {parent: DescService; name: string}) =>
    `/${method.parent.typeName}/${method.name}`;

  return {
    unary: <I extends DescMessage, O extends DescMessage>(
      method: DescMethodUnary<I, O>,
      request: MessageInitShape<I>,
    ) =>
      new Promise<MessageShape<O>>((resolve, reject) => {
        client.makeUnaryRequest<MessageShape<I>, MessageShape<O>>(
          pathOf(method),
          message => Buffer.from(toBinary(method.input, message)),
          bytes => fromBinary(method.output, bytes),
          create(method.input, request),
          metadata,
          (error, answer) => (answer ? resolve(answer) : reject(error)),
        );
      }),
    serverStream: <I extends DescMessage, O extends DescMessage>(
      method: DescMethodServerStreaming<I, O>,
      request: MessageInitShape<I>,
    ): grpc.ClientReadableStream<MessageShape<O>> =>
      client.makeServerStreamRequest<MessageShape<I>, MessageShape<O>>(
        pathOf(method),
        message => Buffer.from(toBinary(method.input, message)),
        bytes => fromBinary(method.output, bytes),
        create(method.input, request),
        metadata,
      ),
    bidi: <I extends DescMessage, O extends DescMessage>(
      method: DescMethodBiDiStreaming<I, O>,
    ): grpc.ClientDuplexStream<MessageShape<I>, MessageShape<O>> =>
      client.makeBidiStreamRequest<MessageShape<I>, MessageShape<O>>(
        pathOf(method),
        message => Buffer.from(toBinary(method.input, message)),
        bytes => fromBinary(method.output, bytes),
        metadata,
      ),
    [Symbol.dispose]: () => client.close(),
  };
}
