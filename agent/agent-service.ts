import type {
  AgentErrorInfo_ReasonJson,
  CreateAgentNonceRequestJson,
  EnrollAgentRequestJson,
  RenewAgentRequestJson,
} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {request} from './http.ts';
import {countField, isObject, type JsonObject, parseObject, textField, textsField} from './json.ts';

const callTimeoutMs = 30_000;
const answerBytesMax = 256 * 1024;

/** In the order of muster.v1.AgentErrorInfo.Reason. */
const reasons = [
  'REASON_UNSPECIFIED',
  'REASON_TOKEN_EXPIRED',
  'REASON_TOKEN_INVALID',
  'REASON_TOKEN_REUSED',
  'REASON_KEY_REVOKED',
  'REASON_NONCE_EXPIRED',
  'REASON_REJECTED',
] as const satisfies readonly AgentErrorInfo_ReasonJson[];

export type Reason = (typeof reasons)[number];

/** The server answered, and refused. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** Connect's code: "not_found". */
  readonly code: string;
  readonly reason: Reason;

  constructor(message: string, {code, reason}: {readonly code: string; readonly reason: Reason}) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export type Enrolment = {
  readonly machineId: string;
  readonly jwt: string;
  readonly expiresInSeconds: number;
  readonly natsServers: readonly string[];
  readonly machineState: string;
};

/** AgentService over Connect's unary JSON protocol: a POST each. Throws RefusedError, or another error when there was no answer. */
export function createAgentService({
  enrollUrl,
  siteCa,
  localAddress,
  signal,
}: {
  readonly enrollUrl: string;
  readonly siteCa: string;
  /** The source address; absent: as the kernel chooses. */
  readonly localAddress?: string | undefined;
  readonly signal: AbortSignal;
}) {
  const call = async (method: string, message: object): Promise<JsonObject> => {
    const answer = await request({
      url: `${enrollUrl}/muster.v1.AgentService/${method}`,
      body: JSON.stringify(message),
      siteCa,
      timeoutMs: callTimeoutMs,
      bodyBytesMax: answerBytesMax,
      localAddress,
      signal,
    });
    const object = parseObject(answer.body);
    if (answer.status !== 200) throw toRefusedError(answer.status, object);
    if (!object) throw new Error(`Cannot use the answer to ${method}: it is no JSON object`);
    return object;
  };

  return {
    async enroll(message: EnrollAgentRequestJson): Promise<Enrolment> {
      const answer = await call('EnrollAgent', message);
      return {
        machineId: required(answer, 'machineId', 'EnrollAgent'),
        ...credentialOf(answer, 'EnrollAgent'),
        natsServers: textsField(answer, 'natsServers'),
        machineState: textField(answer, 'machineState') ?? 'unknown',
      };
    },
    async createNonce(message: CreateAgentNonceRequestJson): Promise<string> {
      return required(await call('CreateAgentNonce', message), 'nonce', 'CreateAgentNonce');
    },
    async renew(message: RenewAgentRequestJson) {
      return credentialOf(await call('RenewAgent', message), 'RenewAgent');
    },
  };
}

export type AgentService = ReturnType<typeof createAgentService>;

function credentialOf(answer: JsonObject, method: string) {
  return {
    jwt: required(answer, 'natsJwt', method),
    expiresInSeconds: countField(answer, 'expiresInSeconds') ?? 0,
  };
}

function required(answer: JsonObject, name: string, method: string): string {
  const value = textField(answer, name);
  if (value === undefined) throw new Error(`Cannot use the answer to ${method}: no "${name}"`);
  return value;
}

function toRefusedError(status: number, object: JsonObject | undefined): RefusedError {
  const code = (object && textField(object, 'code')) ?? `http_${status}`;
  const message = (object && textField(object, 'message')) ?? `HTTP status ${status}`;
  return new RefusedError(`${message} (${code})`, {code, reason: reasonOf(object)});
}

/** From the error detail of type AgentErrorInfo. Its `debug` field is for people; the bytes count. */
export function reasonOf(error: JsonObject | undefined): Reason {
  const details = error?.details;
  if (!Array.isArray(details)) return 'REASON_UNSPECIFIED';
  for (const detail of details) {
    if (!isObject(detail) || textField(detail, 'type') !== 'muster.v1.AgentErrorInfo') continue;
    const bytes = Buffer.from(textField(detail, 'value') ?? '', 'base64');
    // Field 1, varint (protobuf encoding): 0x08 and the number, which is below 128.
    const number = bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
    return reasons[number] ?? 'REASON_UNSPECIFIED';
  }
  return 'REASON_UNSPECIFIED';
}
