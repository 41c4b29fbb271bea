import {randomUUID} from 'node:crypto';
import type {DescMessage, Message} from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type UnaryRequest,
} from '@connectrpc/connect';
import {AuditRule} from '@muster/proto/gen/muster/v1/options_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import {Counter, type Registry} from 'prom-client';
import type {AuditRecorder, EndedCall} from '../domain/audit-recorder.ts';
import {type AuditedCall, runInCall} from '../audited-call.ts';
import {auditRuleOf, resourceOf} from './audit-rule.ts';
import {callerKey} from './caller.ts';
import {maskMessage} from './mask-message.ts';

export type RecordCall = AuditRecorder['record'];

type Request = UnaryRequest | StreamRequest;

type Deps = {readonly record: RecordCall; readonly log: Logger; readonly metrics: Registry};

/**
 * Every call has a context in which the journal finds who called (so a change is told with it, whatever the method says of itself); at its end
 * a call that has to be kept and that no change has told about gets an entry of its own. Outside of authentication: it sees the refused ones.
 */
export function auditCalls({record, log, metrics}: Deps): Interceptor {
  const lost = new Counter({
    name: 'muster_audit_lost_total',
    help: 'Audit entries that could not be written; they are in the log',
    registers: [metrics],
  });
  return next => async request => {
    let asked = request.stream ? undefined : request.message;
    const call = openCall(request, () => asked);
    const end = async (error?: ConnectError) => {
      call.ended = true;
      const ended = describeEnd(call, asked ? resourceOf(request.method, asked) : '', error);
      if (!isKept(request, ended)) return;
      try {
        await record(ended);
      } catch (problem) {
        lost.inc();
        const {outcome, code, resource} = ended;
        const {id: callId, method} = call;
        const who = {caller: call.caller(), address: call.address(), request: call.request()};
        log.error(
          {err: problem, callId, method, resource, outcome, code, ...who},
          'audit entry lost',
        );
      }
    };

    try {
      const seen = request.stream
        ? {...request, message: noticing(request.message, message => (asked ??= message))}
        : request;
      const response = await runInCall(call, () => next(seen));
      if (response.stream) return {...response, message: audited(call, response.message, end)};
      await end();
      return response;
    } catch (error) {
      await end(ConnectError.from(error));
      throw error;
    }
  };
}

function openCall(request: Request, asked: () => Message | undefined): AuditedCall {
  const start = performance.now();
  const {service, method, contextValues} = request;
  let text: string | undefined;
  return {
    id: randomUUID(),
    caller: () => {
      const {role, name} = contextValues.get(callerKey);
      return role === 'anonymous' ? undefined : name;
    },
    address: () => contextValues.get(callerKey).address,
    scope: () => contextValues.get(callerKey).scope ?? [],
    method: `${service.name}.${method.name}`,
    request: () => {
      const message = asked();
      if (!message) return undefined;
      text ??= describeRequest(method.input, message);
      return text;
    },
    elapsedMs: () => Math.round(performance.now() - start),
    ended: false,
    told: new WeakSet(),
  };
}

/** Nothing that a request holds may keep it out of the audit: a time out of range, for instance, has no JSON. */
function describeRequest(schema: DescMessage, message: Message): string {
  try {
    return JSON.stringify(maskMessage(schema, message));
  } catch {
    return JSON.stringify({unreadable: 'it has no JSON form'});
  }
}

function describeEnd(call: AuditedCall, resource: string, error?: ConnectError): EndedCall {
  if (!error) return {call, resource, outcome: 'ok', code: 'ok', error: ''};
  const refused = error.code === Code.Unauthenticated || error.code === Code.PermissionDenied;
  return {
    call,
    resource,
    outcome: refused ? 'refused' : 'failed',
    code: (Code[error.code] ?? 'Unknown').replaceAll(/(?!^)([A-Z])/g, '_$1').toLowerCase(),
    error: error.rawMessage,
  };
}

async function* noticing(messages: AsyncIterable<Message>, notice: (message: Message) => void) {
  for await (const message of messages) {
    notice(message);
    yield message;
  }
}

function isKept({method}: Request, {outcome}: EndedCall): boolean {
  if (outcome === 'refused') return true;
  const rule = auditRuleOf(method);
  if (rule === AuditRule.NONE) return false;
  return rule === AuditRule.CALLS || outcome === 'failed';
}

/** The body of a stream runs when it is read: each step within the call. It ends once, also when the reader leaves early. */
async function* audited<T>(
  call: AuditedCall,
  messages: AsyncIterable<T>,
  end: (error?: ConnectError) => Promise<void>,
) {
  const iterator = messages[Symbol.asyncIterator]();
  let failure: ConnectError | undefined;
  try {
    for (;;) {
      const item = await runInCall(call, () => iterator.next());
      if (item.done) return;
      yield item.value;
    }
  } catch (error) {
    failure = ConnectError.from(error);
    throw error;
  } finally {
    await runInCall(call, () => iterator.return?.());
    await end(failure);
  }
}
