import {Code, ConnectError} from '@connectrpc/connect';
import {silentLogger} from '@muster/runtime/log.ts';
import {mapErrors} from '@muster/server/rpc/error-interceptor.ts';
import {openDatabase} from '@muster/server/store/db.ts';
import {createClient, createRouterTransport} from '@connectrpc/connect';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import test from 'ava';
import {doorAnswerOf} from './door-answer.ts';

test('a database that does not answer is no open door', async t => {
  const sql = openDatabase('postgres://nobody@/none?host=/nowhere');
  const transport = createRouterTransport(
    ({service}) =>
      service(UserService, {
        async listUsers() {
          await sql`select 1`;
          return {};
        },
      }),
    {router: {interceptors: [mapErrors(silentLogger)]}},
  );
  const error = await t.throwsAsync(createClient(UserService, transport).listUsers({}), {
    message: /the database does not answer/,
  });
  t.deepEqual(doorAnswerOf(error), {kind: 'none'});
  await sql.end({timeout: 1});
});

test('a connection that broke is none either, and whatever a method says is one', t => {
  const answer = (message: string, code: Code) => doorAnswerOf(new ConnectError(message, code));
  t.deepEqual(answer('connect ECONNREFUSED 127.0.0.1:1', Code.Unavailable), {kind: 'none'});
  t.deepEqual(answer('Cannot publish: NATS is away', Code.Unavailable), {kind: 'let in'});
  t.deepEqual(answer('Cannot find machine ""', Code.NotFound), {kind: 'let in'});
  t.deepEqual(answer('Internal error', Code.Internal), {kind: 'let in'});
});

test('a refusal is known by its words', t => {
  const words = [
    'Cannot call ListUsers as "user:x" with role "viewer": it needs role "admin"',
    'Cannot call ListUsers without a token: sign in',
    'Cannot accept the API token: it was revoked',
    'Cannot accept the cookie: it came from another page',
  ];
  for (const message of words)
    t.deepEqual(doorAnswerOf(new ConnectError(message, Code.PermissionDenied)), {
      kind: 'refused',
      code: Code.PermissionDenied,
    });
});
