import {create} from '@bufbuild/protobuf';
import {Code, ConnectError, createClient, type ServiceImpl} from '@connectrpc/connect';
import {
  AgentErrorInfo_Reason,
  AgentErrorInfoSchema,
  AgentService,
} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import test from 'ava';
import {pino} from 'pino';
import {serve} from '../../test/helpers/one-port.ts';
import {DomainError} from '../errors.ts';
import {callerKey} from './caller.ts';
import {transportWith} from '../../test/helpers/test-server.ts';

const users: Partial<ServiceImpl<typeof UserService>> = {
  getCurrentUser: (_request, {values}) => {
    const {name, address} = values.get(callerKey);
    return {user: {username: name, email: address}};
  },
  createUser: ({username}) => {
    if (username === 'taken')
      throw new DomainError('already_exists', 'Cannot create user "taken": the name is in use');
    if (username === 'offline')
      throw Object.assign(new Error('write CONNECTION_CLOSED'), {code: 'CONNECTION_CLOSED'});
    throw new Error('secret detail');
  },
};

const failing = async (call: Promise<unknown>) => {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error('The call did not fail');
};

const user = {username: 'bob', password: 'long enough', role: User_Role.VIEWER};

test('a call without a token, with a bad token and with too low a role says what to do', async t => {
  await using server = await serve({routes: router => void router.service(UserService, users)});
  const as = (token?: string) => createClient(UserService, server.transport(token));

  const without = await failing(as().getCurrentUser({}));
  t.is(without.code, Code.Unauthenticated);
  t.is(
    without.rawMessage,
    'Cannot call GetCurrentUser without a token: sign in and send "Authorization: Bearer <token>"',
  );

  const bad = await failing(as('nonsense').getCurrentUser({}));
  t.is(bad.code, Code.Unauthenticated);

  const low = await failing(as('operator').listUsers({}));
  t.is(low.code, Code.PermissionDenied);
  t.is(
    low.rawMessage,
    'Cannot call ListUsers as "user:operator" with role "operator": it needs role "admin"',
  );

  const {user: me} = await as('viewer').getCurrentUser({});
  t.like(me, {username: 'user:viewer', email: '127.0.0.1'});
});

test('an Authorization header that holds neither token nor password is refused', async t => {
  await using server = await serve({routes: router => void router.service(UserService, users)});
  const transport = transportWith(server.url, {authorization: 'Digest YTpi'});
  const error = await failing(createClient(UserService, transport).getCurrentUser({}));
  t.is(error.code, Code.Unauthenticated);
  t.regex(error.rawMessage, /expected "Bearer <token>" or "Basic/);
});

test('a domain failure keeps its sentence, an unknown one is logged once and hidden', async t => {
  const lines: string[] = [];
  const log = pino({}, {write: line => void lines.push(line)});
  await using server = await serve({
    log,
    routes: router => void router.service(UserService, users),
  });
  const client = createClient(UserService, server.transport('admin'));

  const taken = await failing(client.createUser({...user, username: 'taken'}));
  t.is(taken.code, Code.AlreadyExists);
  t.is(taken.rawMessage, 'Cannot create user "taken": the name is in use');
  t.true(lines.every(line => line.includes('call refused')));

  const unknown = await failing(client.createUser(user));
  t.is(unknown.code, Code.Internal);
  t.is(unknown.rawMessage, 'Internal error');
  t.is(lines.filter(line => line.includes('secret detail')).length, 1);

  const offline = await failing(client.createUser({...user, username: 'offline'}));
  t.is(offline.code, Code.Unavailable);
  t.regex(offline.rawMessage, /the database does not answer; try again/);
});

test('a broken field rule names the fields in one sentence', async t => {
  await using server = await serve({routes: router => void router.service(UserService, users)});
  const client = createClient(UserService, server.transport('admin'));
  const error = await failing(client.createUser({...user, username: 'Bob!', password: 'short'}));
  t.is(error.code, Code.InvalidArgument);
  t.regex(error.rawMessage, /^Cannot call CreateUser: "username" .*; "password" .*10 characters/);
});

test('an error with a reason reaches an agent as AgentErrorInfo', async t => {
  await using server = await serve({
    routes: router =>
      void router.service(AgentService, {
        createAgentNonce: () => {
          throw new DomainError('permission_denied', 'Cannot renew: the key was revoked', {
            reason: 'KEY_REVOKED',
          });
        },
      }),
  });
  const client = createClient(AgentService, server.transport());
  const error = await failing(
    client.createAgentNonce({machineId: '0199c0de-0000-7000-8000-000000000000'}),
  );
  t.deepEqual(error.findDetails(AgentErrorInfoSchema), [
    create(AgentErrorInfoSchema, {reason: AgentErrorInfo_Reason.KEY_REVOKED}),
  ]);
});

test('a failure in the middle of a stream is converted too', async t => {
  await using server = await serve({
    routes: router =>
      void router.service(EventService, {
        async *watchEvents() {
          yield {event: {position: 1n}};
          throw new DomainError('aborted', 'Cannot follow the journal: it was cut');
        },
      }),
  });
  const client = createClient(EventService, server.transport('viewer'));
  const seen: bigint[] = [];
  const error = await failing(
    (async () => {
      for await (const {event} of client.watchEvents({})) seen.push(event?.position ?? 0n);
    })(),
  );
  t.deepEqual(seen, [1n]);
  t.is(error.code, Code.Aborted);
});

test('one caller cannot open more than 200 streams', async t => {
  let opened = 0;
  await using server = await serve({
    routes: router =>
      void router.service(EventService, {
        async *watchEvents(_request, {signal}) {
          opened += 1;
          yield {};
          await new Promise(resolve => signal.addEventListener('abort', resolve, {once: true}));
        },
      }),
  });
  const client = createClient(EventService, server.transport('viewer'));
  const stop = new AbortController();
  const open = () => client.watchEvents({}, {signal: stop.signal})[Symbol.asyncIterator]();
  await Promise.all(Array.from({length: 200}, () => open().next()));
  t.is(opened, 200);

  const error = await failing(open().next());
  t.is(error.code, Code.ResourceExhausted);
  t.regex(error.rawMessage, /200 of yours/);

  stop.abort();
});
