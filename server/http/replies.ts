import {
  create,
  createRegistry,
  fromBinary,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import {Code, ConnectError} from '@connectrpc/connect';
import type {connectNodeAdapter} from '@connectrpc/connect-node';
import {codeToHttpStatus} from '@connectrpc/connect/protocol-connect';
import {ViolationsSchema} from '@muster/proto/gen/buf/validate/validate_pb.ts';
import {AgentErrorInfoSchema} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {DomainError} from '../errors.ts';

/** Of HTTP/1.1 or HTTP/2. */
type NodeHandler = ReturnType<typeof connectNodeAdapter>;

export type Request = Parameters<NodeHandler>[0];
export type Response = Parameters<NodeHandler>[1];
export type Headers = Readonly<Record<string, string>>;

const drainBytesMax = 64 * 1024 * 1024;

/** Both kinds of response have these; their types only agree when they are taken apart. */
export function writeHead(response: Response, status: number, headers: Headers): void {
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

export function sendText(
  response: Response,
  status: number,
  {body, headers}: {body: string; headers: Headers},
): void {
  writeHead(response, status, {
    'x-content-type-options': 'nosniff',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  });
  if (response.req.method === 'HEAD') response.end();
  else response.end(body);
}

export function sendJson(
  response: Response,
  status: number,
  {body, headers = {}}: {body: JsonValue; headers?: Headers},
): void {
  sendText(response, status, {
    body: `${JSON.stringify(body)}\n`,
    headers: {'content-type': 'application/json', 'cache-control': 'no-store', ...headers},
  });
}

/** `{"error": {"code", "message", "details"}}` with the status of the code. */
export function sendError(
  response: Response,
  error: ConnectError,
  {status = codeToHttpStatus(error.code), headers = {}}: {status?: number; headers?: Headers} = {},
): void {
  const challenge: Headers = status === 401 ? {'www-authenticate': 'Bearer'} : {};
  const retryAfter = error.metadata.get('retry-after');
  const retry: Headers = retryAfter ? {'retry-after': retryAfter} : {};
  sendJson(response, status, {
    body: errorBody(error),
    headers: {...challenge, ...retry, ...headers},
  });
}

export function errorBody(error: ConnectError): JsonValue {
  return {
    error: {
      code: codeName(error.code),
      message: error.rawMessage,
      details: error.details.map(describeDetail),
    },
  };
}

/** "failed_precondition" */
export function codeName(code: Code): string {
  return (Code[code] ?? 'unknown').replaceAll(/(?<!^)[A-Z]/g, '_$&').toLowerCase();
}

const detailTypes = createRegistry(ViolationsSchema, AgentErrorInfoSchema);

function describeDetail(detail: ConnectError['details'][number]): JsonValue {
  const {type, value} = toWire(detail);
  const schema = detailTypes.getMessage(type);
  if (!schema) return {type, value: Buffer.from(value).toString('base64')};
  const json = toJson(schema, fromBinary(schema, value), {useProtoFieldName: true});
  return {type, value: json};
}

/** What did not go through a protocol is still a message. */
function toWire(detail: ConnectError['details'][number]) {
  if (!('desc' in detail)) return detail;
  const {desc, value} = detail;
  return {type: desc.typeName, value: toBinary(desc, create(desc, value))};
}

/** The body as text; DomainError "resource_exhausted" when it is longer than `bytesMax`. What follows is read and forgotten, so that the client hears why. */
export async function readText(request: Request, bytesMax: number): Promise<string> {
  const tooLarge = () => {
    drain(request);
    return new DomainError(
      'resource_exhausted',
      `Cannot read the request: the body is larger than ${bytesMax} bytes`,
    );
  };
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge();

  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) {
        chunks.push(chunk);
        return;
      }
      request.off('data', take);
      reject(tooLarge());
    };
    request.on('data', take);
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', reject);
    request.once('aborted', () => reject(new ConnectError('Request aborted', Code.Canceled)));
  });
}

function drain(request: Request): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > drainBytesMax) request.destroy();
  });
}
