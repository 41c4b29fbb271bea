import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  type AuditEntrySchema,
  AuditEntry_Outcome as Outcome,
  AuditService,
} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

const entries: readonly MessageInitShape<typeof AuditEntrySchema>[] = [
  {
    id: '019c0000-0000-7000-8000-000000000002',
    position: 2n,
    time: timestampFromMs(Date.UTC(2026, 0, 2)),
    actor: 'user:ada',
    action: 'user.updated',
    method: 'UserService.UpdateUser',
    resource: 'users/u2',
    before: {role: 'viewer', password_hash: '[secret]', email: 'same@example.net'},
    after: {role: 'operator', password_hash: '[secret]', email: 'same@example.net'},
    outcome: Outcome.OK,
    code: 'ok',
    hash: 'ab'.repeat(32),
  },
  {
    id: '019c0000-0000-7000-8000-000000000001',
    position: 1n,
    time: timestampFromMs(Date.UTC(2026, 0, 1)),
    actor: 'anonymous',
    method: 'UserService.ListUsers',
    outcome: Outcome.REFUSED,
    code: 'unauthenticated',
    error: 'Cannot call this without a session',
  },
];

/** The actor "fail" fails. With `brokenAt` the chain is not whole. */
export const auditOf =
  (brokenAt?: bigint): MockNoun =>
  router => {
    router.service(AuditService, {
      listAudit({actor, outcome}) {
        if (actor === 'fail') throw new ConnectError('The database is away', Code.Unavailable);
        return {
          entries: entries.filter(
            entry =>
              (actor === '' || entry.actor === actor) &&
              (outcome === Outcome.UNSPECIFIED || entry.outcome === outcome),
          ),
        };
      },
      async *verifyAudit() {
        yield {checked: 1n, headPosition: 2n};
        yield {
          checked: 2n,
          headPosition: 2n,
          done: true,
          ...(brokenAt === undefined
            ? {headHash: 'cd'.repeat(32)}
            : {firstBreak: {position: brokenAt, reason: 'The entry was changed'}}),
        };
      },
    });
  };
