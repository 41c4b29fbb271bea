import {
  createRegistry,
  type DescFile,
  type DescMessage,
  type DescService,
  type Registry,
  toBinary,
} from '@bufbuild/protobuf';
import {FileDescriptorProtoSchema} from '@bufbuild/protobuf/wkt';
import {Code, type ConnectRouter} from '@connectrpc/connect';
import {
  ServerReflection,
  type ServerReflectionRequest,
} from '@muster/proto/gen/grpc/reflection/v1/reflection_pb.ts';
import {
  ServerReflection as ServerReflectionAlpha,
  type ServerReflectionRequest as AlphaRequest,
} from '@muster/proto/gen/grpc/reflection/v1alpha/reflection_pb.ts';

type Question = ServerReflectionRequest | AlphaRequest;
/** What both versions can be made from. */
type Answer =
  | {case: 'listServicesResponse'; value: {service: {name: string}[]}}
  | {case: 'fileDescriptorResponse'; value: {fileDescriptorProto: Uint8Array<ArrayBuffer>[]}}
  | {case: 'allExtensionNumbersResponse'; value: {baseTypeName: string; extensionNumber: number[]}}
  | {case: 'errorResponse'; value: {errorCode: number; errorMessage: string}};

/**
 * gRPC server reflection, v1 and v1alpha (the same messages), of the services that the router has by now and of everything they refer to. No kept npm package does
 * this for Connect.
 */
export function addReflection(router: ConnectRouter): void {
  const services = new Set(router.handlers.map(({service}) => service));
  const all = [...services, ServerReflection, ServerReflectionAlpha];
  const files = new Map<string, DescFile>();
  for (const {file} of all) collect(file, files);
  const book: Book = {services: all, files, registry: createRegistry(...files.values())};

  async function* serverReflectionInfo<T extends Question>(questions: AsyncIterable<T>) {
    for await (const question of questions) {
      yield {
        validHost: question.host,
        originalRequest: question,
        messageResponse: answer(book, question.messageRequest),
      };
    }
  }
  router.service(ServerReflection, {serverReflectionInfo});
  router.service(ServerReflectionAlpha, {serverReflectionInfo});
}

type Book = {
  readonly services: readonly DescService[];
  readonly files: ReadonlyMap<string, DescFile>;
  readonly registry: Registry;
};

/** The name with its extension, as FileDescriptorProto has it. */
const nameOf = (file: DescFile) => file.proto.name;

function collect(file: DescFile, into: Map<string, DescFile>): void {
  if (into.has(nameOf(file))) return;
  into.set(nameOf(file), file);
  for (const dependency of file.dependencies) collect(dependency, into);
}

function answer(book: Book, question: Question['messageRequest']): Answer {
  switch (question.case) {
    case 'listServices':
      return {
        case: 'listServicesResponse',
        value: {service: book.services.map(({typeName}) => ({name: typeName}))},
      };
    case 'fileByFilename':
      return filesFrom(book.files.get(question.value), `file "${question.value}"`);
    case 'fileContainingSymbol':
      return filesFrom(fileOfSymbol(book.registry, question.value), `symbol "${question.value}"`);
    case 'fileContainingExtension': {
      const {containingType, extensionNumber} = question.value;
      const message = book.registry.getMessage(containingType);
      const extension = message && book.registry.getExtensionFor(message, extensionNumber);
      return filesFrom(extension?.file, `extension ${extensionNumber} of "${containingType}"`);
    }
    case 'allExtensionNumbersOfType':
      return extensionsOf(book, book.registry.getMessage(question.value), question.value);
    default:
      return failure(Code.InvalidArgument, 'The request asks nothing');
  }
}

/** A message, enum, extension or service; also "package.Service.Method" and "package.Message.field". */
function fileOfSymbol(registry: Registry, symbol: string): DescFile | undefined {
  const name = symbol.replace(/^\./, '');
  return registry.get(name)?.file ?? registry.get(name.replace(/\.[^.]*$/, ''))?.file;
}

function filesFrom(file: DescFile | undefined, what: string): Answer {
  if (!file) return failure(Code.NotFound, `There is no ${what}`);
  const wanted = new Map<string, DescFile>();
  collect(file, wanted);
  const protos = [...wanted.values()].map(({proto}) => toBinary(FileDescriptorProtoSchema, proto));
  return {case: 'fileDescriptorResponse', value: {fileDescriptorProto: protos}};
}

function extensionsOf(book: Book, message: DescMessage | undefined, name: string): Answer {
  if (!message) return failure(Code.NotFound, `There is no message "${name}"`);
  const numbers = [...book.registry]
    .filter(type => type.kind === 'extension')
    .filter(({extendee}) => extendee.typeName === message.typeName)
    .map(({number}) => number);
  return {
    case: 'allExtensionNumbersResponse',
    value: {baseTypeName: name, extensionNumber: numbers},
  };
}

const failure = (errorCode: Code, errorMessage: string): Answer => ({
  case: 'errorResponse',
  value: {errorCode, errorMessage},
});
