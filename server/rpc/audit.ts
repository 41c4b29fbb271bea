import {create} from '@bufbuild/protobuf';
import {timestampDate, timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {Timestamp} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type AuditEntry as AuditEntryMessage,
  AuditEntry_Outcome,
  AuditEntrySchema,
  type AuditService,
} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {type Audit, parseKnownHead} from '../domain/audit.ts';
import type {AuditEntry, AuditFilter, AuditOutcome} from '../store/audit.ts';

const toOutcome = {
  ok: AuditEntry_Outcome.OK,
  refused: AuditEntry_Outcome.REFUSED,
  failed: AuditEntry_Outcome.FAILED,
} as const satisfies Record<AuditOutcome, AuditEntry_Outcome>;

const fromOutcome: ReadonlyMap<AuditEntry_Outcome, AuditOutcome> = new Map([
  [AuditEntry_Outcome.OK, 'ok'],
  [AuditEntry_Outcome.REFUSED, 'refused'],
  [AuditEntry_Outcome.FAILED, 'failed'],
]);

export const auditService = (audit: Audit): ServiceImpl<typeof AuditService> => ({
  async listAudit({pageSize, pageToken, ...request}) {
    const page = await audit.list({...toFilter(request), pageSize, pageToken});
    return {entries: page.entries.map(toMessage), nextPageToken: page.nextPageToken};
  },

  async *verifyAudit({knownPosition, knownHash}, {signal}) {
    const known = parseKnownHead(Number(knownPosition), knownHash);
    for await (const step of audit.verify(known, signal)) {
      const {checked, headPosition, truncatedPosition} = step;
      const progress = {
        checked: BigInt(checked),
        headPosition: BigInt(headPosition),
        truncatedPosition: BigInt(truncatedPosition),
      };
      if (!('head' in step)) yield progress;
      else {
        const {broken, head} = step;
        const firstBreak = broken && {...broken, position: BigInt(broken.position)};
        const verdict = firstBreak ? {firstBreak} : {headHash: head.hash.toString('hex')};
        yield {...progress, ...verdict, done: true};
      }
    }
  },

  async *exportAudit({after, ...request}, {signal}) {
    const position = Math.min(Number(after), Number.MAX_SAFE_INTEGER);
    for await (const entry of audit.export({...toFilter(request), after: position}, signal))
      yield {entry: toMessage(entry)};
  },
});

function toFilter(request: {
  readonly actor: string;
  readonly resource: string;
  readonly outcome: AuditEntry_Outcome;
  readonly startTime?: Timestamp | undefined;
  readonly endTime?: Timestamp | undefined;
}): AuditFilter {
  const {actor, resource, outcome, startTime, endTime} = request;
  return {
    actor: actor || undefined,
    resource: resource || undefined,
    outcome: fromOutcome.get(outcome),
    since: startTime && timestampDate(startTime),
    until: endTime && timestampDate(endTime),
  };
}

function toMessage(entry: AuditEntry): AuditEntryMessage {
  const {time, position, outcome, request, before, after, callId, hash, ...same} = entry;
  return create(AuditEntrySchema, {
    ...same,
    time: timestampFromDate(time),
    position: BigInt(position),
    outcome: toOutcome[outcome],
    ...(request ? {request: JSON.parse(request)} : {}),
    ...(before ? {before: JSON.parse(before)} : {}),
    ...(after ? {after: JSON.parse(after)} : {}),
    callId: callId ?? '',
    hash: hash.toString('hex'),
  });
}
