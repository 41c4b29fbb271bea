import {randomUUID} from 'node:crypto';
import {create} from '@bufbuild/protobuf';
import {Code, ConnectError, type ConnectRouter, createClient} from '@connectrpc/connect';
import {AuditService} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {
  CreateUserRequestSchema,
  User_Role,
  UserService,
} from '@muster/proto/gen/muster/v1/users_pb.ts';
import test from 'ava';
import {serve} from '../../test/helpers/one-port.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {placeWaitingAudit} from '../domain/audit-chain.ts';
import {createAuditRecorder} from '../domain/audit-recorder.ts';
import {createBreakGlass} from '../domain/break-glass.ts';
import {createPasswordChanges} from '../domain/password-changes.ts';
import {createPasswordCheck} from '../domain/password-check.ts';
import {createUsers} from '../domain/users.ts';
import {DomainError} from '../errors.ts';
import {type AuditEntry, listAudit} from '../store/audit.ts';
import {appendEvent} from '../store/events.ts';
import {callerKey} from './caller.ts';
import {userService} from './users.ts';

const postgres = postgresOf(test);

const machineId = '0199c0de-0000-7000-8000-000000000001';
const wrongPassword = () => {
  throw new DomainError('unauthenticated', 'Cannot sign in: token=abc is wrong');
};

/** The real stack and table; users are the real ones, the other services change or refuse as the test needs it. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const clock = {now: new Date()};
  const deps = {sql, now: () => clock.now, newId: () => randomUUID()};
  const recorder = createAuditRecorder(deps);
  const change = (actor: string, type: string, subject: string) =>
    sql.begin(tx => appendEvent(tx, {id: randomUUID(), time: clock.now, type, actor, subject}));
  const routes = (router: ConnectRouter) => {
    const users = {
      users: createUsers(deps),
      passwords: createPasswordChanges({...deps, checkPassword: createPasswordCheck(deps)}),
      breakGlass: createBreakGlass(deps),
    };
    router.service(UserService, userService(users));
    router.service(SessionService, {login: wrongPassword});
    router.service(BuildService, {
      claimBuild: async ({buildId}, {values}) => {
        if (buildId.endsWith('2'))
          await change(values.get(callerKey).name, 'build.started', `builds/${buildId}`);
        return {};
      },
    });
    router.service(ServiceService, {reportService: () => ({}), listServices: () => ({})});
    router.service(MachineService, {
      // Says that it only reads, and changes something all the same.
      getMachine: async ({id}, {values}) => {
        await change(values.get(callerKey).name, 'machine.updated', `machines/${id}`);
        return {};
      },
      acceptMachine: async ({id}) => {
        await change('system', 'machine.enrolled', `machines/${id}`);
        throw new DomainError(
          'aborted',
          'Cannot accept the machine: it was done, then something else failed',
        );
      },
      rejectMachine: ({id, reason}) => ({machine: {id, stateReason: reason}}),
      enrollMachine: async () => {
        await change(`agent:${machineId}`, 'machine.enrolled', `machines/${machineId}`);
        return {machine: {id: machineId}};
      },
    });
    router.service(AuditService, {
      async *exportAudit() {
        yield {};
        yield {};
      },
    });
  };
  const server = stack.use(await serve({routes, record: recorder.record}));
  const owned = stack.move();
  return {
    sql,
    server,
    recorder,
    clock,
    as: (token?: string) => server.transport(token),
    entries: async (): Promise<readonly AuditEntry[]> => {
      await sql.begin(placeWaitingAudit);
      return listAudit(sql, {after: 0, limit: 1000});
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const bob = {username: 'bob', password: 'correct horse', role: User_Role.VIEWER};
const json = (text: string | undefined) => JSON.parse(text ?? 'null') as Record<string, unknown>;
const codeOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return error === undefined ? undefined : ConnectError.from(error).code;
};

test('a change is told once, with caller, address, request and the resource after it', async t => {
  await using app = await setUp();
  const {user} = await createClient(UserService, app.as('admin')).createUser(bob);
  const [entry, ...others] = await app.entries();
  t.deepEqual(others, []);
  t.like(entry, {
    actor: 'user:admin',
    address: '127.0.0.1',
    method: 'UserService.CreateUser',
    resource: `users/${user?.id}`,
    action: 'user.created',
    outcome: 'ok',
    before: undefined,
  });
  t.deepEqual(json(entry?.request), {username: 'bob', password: '[secret]', role: 'ROLE_VIEWER'});
  t.like(json(entry?.after), {username: 'bob', role: 'viewer'});
  const [event] = await app.sql`select id from events`;
  t.is(entry?.id, String(event?.['id']));
});

test('a REST call is told as the same call over Connect', async t => {
  await using app = await setUp();
  const body = JSON.stringify({username: 'bob', password: 'correct horse', role: 'viewer'});
  const headers = {authorization: 'Bearer admin'};
  const response = await fetch(`${app.server.url}/api/v1/users`, {method: 'POST', headers, body});
  t.is(response.status, 200);
  await createClient(UserService, app.as('admin')).createUser({...bob, username: 'eve'});
  const [rest, connect] = await app.entries();
  const {actor, address, method, action, outcome} = connect ?? {};
  t.like(rest, {actor, address, method, action, outcome});
  t.deepEqual(json(rest?.request), {...json(connect?.request), username: 'bob'});
});

test('many calls at once keep their callers and requests apart', async t => {
  await using app = await setUp();
  const names = Array.from({length: 40}, (_, index) => `user-${index}`);
  const roles = ['admin', 'admin'] as const;
  await Promise.all(
    names.map((username, index) =>
      createClient(UserService, app.as(roles[index % 2])).createUser({...bob, username}),
    ),
  );
  const entries = await app.entries();
  t.is(entries.length, 40);
  t.is(new Set(entries.map(({callId}) => callId)).size, 40);
  for (const {request, after} of entries) t.is(json(request)['username'], json(after)['username']);
});

test('what changes nothing is told when the method changes things, repeats of services are not', async t => {
  await using app = await setUp();
  const builder = createClient(BuildService, app.as('builder'));
  await createClient(MachineService, app.as('operator')).rejectMachine({
    id: machineId,
    reason: 'x',
  });
  await createClient(ServiceService, app.as('edge')).reportService({});
  await createClient(ServiceService, app.as('viewer')).listServices({});
  await builder.claimBuild({buildId: machineId});
  await builder.claimBuild({buildId: machineId.replace(/1$/, '2')});
  t.deepEqual(
    (await app.entries()).map(({actor, method, resource, action}) => [
      actor,
      method,
      resource,
      action,
    ]),
    [
      ['user:operator', 'MachineService.RejectMachine', `machines/${machineId}`, ''],
      [
        'builder:test',
        'BuildService.ClaimBuild',
        `builds/${machineId.replace(/1$/, '2')}`,
        'build.started',
      ],
    ],
  );
});

test('an agent that proved itself in its request is the actor; so is a reader that changes something', async t => {
  await using app = await setUp();
  await createClient(MachineService, app.as()).enrollMachine({
    serviceTag: 'ABC',
    macAddress: '52:54:00:12:34:56',
  });
  await createClient(MachineService, app.as('viewer')).getMachine({id: machineId});
  t.deepEqual(
    (await app.entries()).map(({actor, method}) => [actor, method]),
    [
      [`agent:${machineId}`, 'MachineService.EnrollMachine'],
      ['user:viewer', 'MachineService.GetMachine'],
    ],
  );
});

test('a call that fails after its change was committed is told as both', async t => {
  await using app = await setUp();
  const machines = createClient(MachineService, app.as('operator'));
  t.is(await codeOf(machines.acceptMachine({id: machineId})), Code.Aborted);
  const [change, call] = await app.entries();
  t.like(change, {actor: 'user:operator', action: 'machine.enrolled', outcome: 'ok'});
  t.like(call, {action: '', outcome: 'failed', code: 'aborted', callId: change?.callId});
});

test('refusals are told: no token, a bad token, too low a role, a wrong password, a broken rule', async t => {
  await using app = await setUp();
  const users = (token?: string) => createClient(UserService, app.as(token));
  t.is(await codeOf(users().listUsers({})), Code.Unauthenticated);
  t.is(await codeOf(users('forged').createUser(bob)), Code.Unauthenticated);
  t.is(await codeOf(users('viewer').createUser(bob)), Code.PermissionDenied);
  const login = {username: 'bob', password: 'hunter2hunter2'};
  t.is(await codeOf(createClient(SessionService, app.as()).login(login)), Code.Unauthenticated);
  t.is(await codeOf(users('admin').createUser({...bob, password: 'short'})), Code.InvalidArgument);
  const entries = await app.entries();
  t.deepEqual(
    entries.map(({actor, method, outcome, code}) => [actor, method, outcome, code]),
    [
      ['anonymous', 'UserService.ListUsers', 'refused', 'unauthenticated'],
      ['anonymous', 'UserService.CreateUser', 'refused', 'unauthenticated'],
      ['user:viewer', 'UserService.CreateUser', 'refused', 'permission_denied'],
      ['anonymous', 'SessionService.Login', 'refused', 'unauthenticated'],
      ['user:admin', 'UserService.CreateUser', 'failed', 'invalid_argument'],
    ],
  );
  t.true(entries.every(({address}) => address === '127.0.0.1'));
  t.deepEqual(json(entries[3]?.request), {username: 'bob', password: '[secret]'});
  t.is(entries[3]?.error, 'Cannot sign in: token=[secret] is wrong');
});

test('a flood of refused calls fills a counter, not the table, and hides no change', async t => {
  await using app = await setUp();
  const calls = 300;
  const refused = createClient(UserService, app.as('viewer'));
  await Promise.all(Array.from({length: calls}, () => codeOf(refused.createUser(bob))));
  await createClient(UserService, app.as('admin')).createUser(bob);
  const before = await app.entries();
  t.is(before.filter(({outcome}) => outcome === 'refused').length, 10);
  t.is(before.at(-1)?.action, 'user.created');

  await app.recorder.writeSummaries();
  await app.recorder.writeSummaries();
  const summaries = (await app.entries()).filter(({count}) => count > 1);
  t.is(summaries.length, 1);
  t.like(summaries[0], {actor: 'user:viewer', method: 'UserService.CreateUser', count: calls - 10});

  app.clock.now = new Date(app.clock.now.getTime() + 61_000);
  await codeOf(refused.createUser(bob));
  t.is((await app.entries()).filter(({outcome}) => outcome === 'refused').length, 12);
});

test('a stream is told at its end, with what was asked for, also when its reader leaves', async t => {
  await using app = await setUp();
  const audit = createClient(AuditService, app.as('admin'));
  await Array.fromAsync(audit.exportAudit({actor: 'user:bob'}));
  for await (const message of audit.exportAudit({after: 7n})) {
    void message;
    break;
  }
  const second = async () => {
    for (;;) {
      const entries = await app.entries();
      if (entries.length === 2) return entries;
    }
  };
  const [whole, left] = await second();
  t.like(whole, {actor: 'user:admin', method: 'AuditService.ExportAudit'});
  t.deepEqual(json(whole?.request), {actor: 'user:bob'});
  t.deepEqual(json(left?.request), {after: '7'});
});

test('no request can keep itself out of the audit', async t => {
  await using app = await setUp();
  const odd = create(CreateUserRequestSchema, {...bob, email: 'a\0b\ud800'});
  const users = createClient(UserService, app.as('viewer'));
  t.is(await codeOf(users.createUser({...odd, email: 'a\0b'})), Code.PermissionDenied);
  const long = 'x'.repeat(100_000);
  t.is(await codeOf(users.createUser({...bob, email: long})), Code.PermissionDenied);
  const [nul, cut] = await app.entries();
  t.is(json(nul?.request)['email'], 'a\u{fffd}b');
  t.true((cut?.request ?? '').length < 2100);
  const since = {startTime: {seconds: 10n ** 15n, nanos: 0}};
  t.is(
    await codeOf(createClient(AuditService, app.as('viewer')).listAudit(since)),
    Code.PermissionDenied,
  );
  t.like((await app.entries()).at(-1), {request: '{"unreadable": "it has no JSON form"}'});
});
