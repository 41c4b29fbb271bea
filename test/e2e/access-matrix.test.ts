import {readdirSync} from 'node:fs';
import {type DescFile, type DescMethod, type DescService, getOption} from '@bufbuild/protobuf';
import {type Client, Code} from '@connectrpc/connect';
import {
  Permission,
  permission,
  WorkspaceScope,
  workspace_scope as workspaceScope,
} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {Service_Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {serviceAuthorization} from '@muster/runtime/rpc-client.ts';
import {privateKeyOf} from '@muster/runtime/tokens.ts';
import {createUser} from '@nats-io/nkeys';
import test from 'ava';
import {type DoorAnswer, doorAnswerOf} from '../helpers/door-answer.ts';
import {basic, password} from '../helpers/people.ts';
import {until} from '../helpers/processes.ts';
import {startTestServer} from '../helpers/test-server.ts';

/** A stream that ought to be open and was not refused by then was let in; a refusal is waited for. */
const openStreamMs = 3000;
const refusalMs = 60_000;

type PersonRole = 'viewer' | 'developer' | 'operator' | 'admin';
type Role = PersonRole | 'member' | 'edge' | 'builder' | 'anonymous';

/** Written out on purpose, a third time: who gets past the door of a method, whatever the door is made of. */
const mayCall: Readonly<Record<string, readonly Role[]>> = {
  PUBLIC: ['viewer', 'developer', 'operator', 'admin', 'member', 'edge', 'builder', 'anonymous'],
  AGENT: ['viewer', 'developer', 'operator', 'admin', 'member', 'edge', 'builder', 'anonymous'],
  EDGE: ['edge'],
  BUILDER: ['builder'],
  SERVICE: ['edge', 'builder'],
  VIEW: ['viewer', 'developer', 'operator', 'admin'],
  DEVELOP: ['developer', 'operator', 'admin'],
  OPERATE: ['operator', 'admin'],
  ADMINISTER: ['admin'],
};

const people = {
  viewer: {role: User_Role.VIEWER, permission: Permission.VIEW},
  developer: {role: User_Role.DEVELOPER, permission: Permission.DEVELOP},
  operator: {role: User_Role.OPERATOR, permission: Permission.OPERATE},
  admin: {role: User_Role.ADMIN, permission: Permission.ADMINISTER},
} as const;
const personRoles = ['viewer', 'developer', 'operator', 'admin'] as const;

type Caller = {
  readonly what: string;
  readonly role: Role;
  /** In some workspace, beside it. */
  readonly inside?: PersonRole;
  /** The whole header; empty sends none. */
  readonly authorization: string;
  /** Of a browser in which they are signed in. */
  readonly cookie?: string;
};

/** What a role in a workspace opens beside the one that holds everywhere; a method that does not say is the whole site's. */
function isOpenInside(method: DescMethod, needed: string, caller: Caller): boolean {
  const scope = getOption(method, workspaceScope);
  const {role, inside} = caller;
  const isPerson = role === 'member' || personRoles.some(name => name === role);
  if (scope === WorkspaceScope.OWN) return isPerson;
  const counts = scope === WorkspaceScope.MACHINES || scope === WorkspaceScope.SHARED;
  return counts && inside !== undefined && (mayCall[needed]?.includes(inside) ?? false);
}

async function allMethods(): Promise<readonly DescMethod[]> {
  const folder = new URL('../../proto/gen/muster/v1/', import.meta.url);
  const modules = await Promise.all(
    readdirSync(folder).map(name => import(new URL(name, folder).href) as Promise<object>),
  );
  return modules
    .flatMap(module => Object.entries(module))
    .filter(([name]) => name.startsWith('file_'))
    .flatMap(([, file]) => (file as DescFile).services)
    .flatMap(service => service.methods);
}

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer());
  const clientAs = <T extends DescService>(
    service: T,
    authorization: string,
    cookie = '',
  ): Client<T> =>
    server.client(service, {
      'sec-fetch-site': 'same-origin',
      ...(authorization && {authorization}),
      ...(cookie && {cookie}),
    });
  const local = `Bearer ${await server.localToken()}`;
  const owned = stack.move();
  return {sql: server.sql, clientAs, local, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

type App = Awaited<ReturnType<typeof setUp>>;

async function makePerson({clientAs, local}: App, username: string, role: User_Role) {
  await clientAs(UserService, local).createUser({username, password, role});
  const {token, user} = await clientAs(SessionService, '').login({username, password});
  return {id: user?.id ?? '', username, session: `Bearer ${token}`};
}

/** By what a browser has instead of a token: nothing in the answer of its sign-in proves anything. */
async function signInByCookie(app: App, username: string): Promise<string> {
  let cookie = '';
  const onHeader = (header: Headers) => (cookie = header.getSetCookie()[0]?.split(';', 1)[0] ?? '');
  await app.clientAs(SessionService, '').login({username, password, cookie: true}, {onHeader});
  return cookie;
}

/** Each person by each proof: session, cookie, password, and an API token of each permission up to the own one. */
async function callersOf(app: App, role: (typeof personRoles)[number]): Promise<readonly Caller[]> {
  const {username, session} = await makePerson(app, role, people[role].role);
  const below = personRoles.slice(0, personRoles.indexOf(role) + 1);
  const tokens = await Promise.all(
    below.map(async scope => {
      const wanted = {name: scope, permission: people[scope].permission};
      const {token} = await app.clientAs(TokenService, session).createApiToken(wanted);
      return {what: `${role}'s token for ${scope}`, role: scope, authorization: `Bearer ${token}`};
    }),
  );
  return [
    {what: `${role} signed in`, role, authorization: session},
    {what: `${role} by password`, role, authorization: basic(username)},
    // Somebody of their own: one of the calls ends all other sessions of whoever calls.
    await callerByCookie(app, role, `${role}-in-a-browser`),
    ...tokens,
  ];
}

async function callerByCookie(
  app: App,
  role: (typeof personRoles)[number],
  username: string,
): Promise<Caller> {
  await makePerson(app, username, people[role].role);
  const cookie = await signInByCookie(app, username);
  return {what: `${role} in a browser`, role, authorization: '', cookie};
}

/** A role in a workspace opens what is scoped to workspaces, and nothing else: signed in, and by a token for that workspace alone. */
async function callersOfWorkspaces(app: App): Promise<readonly Caller[]> {
  const administration = app.clientAs(WorkspaceService, app.local);
  await administration.createWorkspace({workspace: {name: 'blue'}});
  const callers: Caller[] = [];
  for (const everywhere of ['member', ...personRoles] as const) {
    const role = everywhere === 'member' ? User_Role.MEMBER : people[everywhere].role;
    for (const inside of personRoles) {
      const name = `${everywhere}-${inside}`;
      const {session} = await makePerson(app, name, role);
      const grant = {workspaceId: 'blue', userId: name, role: people[inside].role};
      await administration.grantWorkspaceRole(grant);
      const what = `${everywhere} who is ${inside} in a workspace`;
      callers.push({what, role: everywhere, inside, authorization: session});
      callers.push(await callerByToken(app, {what, inside, session}));
    }
  }
  const {session} = await makePerson(app, 'nowhere', User_Role.MEMBER);
  return [...callers, {what: 'member of nothing', role: 'member', authorization: session}];
}

async function callerByToken(
  app: App,
  {what, inside, session}: {what: string; inside: PersonRole; session: string},
): Promise<Caller> {
  const wanted = {name: 'ci', permission: people[inside].permission, workspaceId: 'blue'};
  const {token} = await app.clientAs(TokenService, session).createApiToken(wanted);
  const authorization = `Bearer ${token}`;
  return {what: `token for the workspace of ${what}`, role: 'member', inside, authorization};
}

/** What was good once, or never: nobody. */
async function formerCallers(app: App): Promise<readonly Caller[]> {
  const administration = app.clientAs(UserService, app.local);
  const made = async (username: string) => {
    const person = await makePerson(app, username, User_Role.ADMIN);
    const wanted = {name: 'ci', permission: Permission.ADMINISTER};
    const answer = await app.clientAs(TokenService, person.session).createApiToken(wanted);
    const cookie = await signInByCookie(app, username);
    return {...person, cookie, token: `Bearer ${answer.token}`, tokenId: answer.apiToken?.id ?? ''};
  };
  const disabled = await made('disabled');
  await administration.updateUser({id: 'disabled', disabled: true});
  const deleted = await made('deleted');
  await administration.deleteUser({id: 'deleted'});
  const ended = await made('ended');
  await app.clientAs(TokenService, app.local).revokeApiToken({id: ended.tokenId});
  await app.clientAs(SessionService, app.local).revokeSessions({userId: 'ended'});
  const late = await made('late');
  await app.sql`update api_tokens set expire_time = now() where id = ${late.tokenId}`;
  await app.sql`update sessions set expire_time = now() where user_id = ${late.id}`;
  return [disabled, deleted, ended, late].flatMap(({username, session, token, cookie}) => [
    {
      what: `cookie of ${username}`,
      role: 'anonymous' as const,
      authorization: '',
      cookie,
    },
    {what: `session of ${username}`, role: 'anonymous' as const, authorization: session},
    {what: `token of ${username}`, role: 'anonymous' as const, authorization: token},
  ]);
}

async function callerOfService(app: App, kind: 'edge' | 'builder'): Promise<Caller> {
  const services = app.clientAs(ServiceService, app.local);
  const protoKind = kind === 'edge' ? Service_Kind.EDGE : Service_Kind.BUILDER;
  const {code} = await services.createJoinCode({kind: protoKind, name: kind});
  const pair = createUser();
  const {service} = await services.joinService({code, publicKey: pair.getPublicKey()});
  const key = privateKeyOf(Buffer.from(pair.getSeed()).toString());
  const authorization = await serviceAuthorization(service?.id ?? '', key)();
  return {what: kind, role: kind, authorization};
}

function isOpenTo(method: DescMethod, caller: Caller): boolean {
  const value = getOption(method, permission);
  const [name = ''] = Object.entries(Permission).find(([, number]) => number === value) ?? [];
  return (mayCall[name]?.includes(caller.role) ?? false) || isOpenInside(method, name, caller);
}

type AnyCall = (input: object, options: {signal?: AbortSignal}) => unknown;

/** Undefined: let in. Else the door's refusal. A busy database or connection says neither, and is asked again. */
async function knock(
  app: App,
  method: DescMethod,
  how: {readonly caller: Caller; readonly open: boolean},
): Promise<Code | undefined> {
  const {authorization, cookie, what} = how.caller;
  const client = app.clientAs(method.parent, authorization, cookie) as Record<string, AnyCall>;
  const call = client[method.localName];
  if (!call) throw new Error(`No client for ${method.name}`);
  const answer = await until(`an answer of ${method.name} to ${what}`, async () => {
    const one = await knockOnce(call, method, how.open);
    return one.kind !== 'none' && one;
  });
  return answer.kind === 'refused' ? answer.code : undefined;
}

async function knockOnce(call: AnyCall, method: DescMethod, open: boolean): Promise<DoorAnswer> {
  const signal = AbortSignal.timeout(open ? openStreamMs : refusalMs);
  try {
    if (method.methodKind === 'unary') await call({}, {});
    else for await (const _first of call({}, {signal}) as AsyncIterable<unknown>) break;
    return {kind: 'let in'};
  } catch (error) {
    // Who ought to be refused and hears nothing is not let in by that.
    if (method.methodKind !== 'unary' && signal.aborted) return {kind: open ? 'let in' : 'none'};
    return doorAnswerOf(error);
  }
}

test('every method is open to exactly the roles that its permission names, by every proof and in every workspace', async t => {
  t.timeout(300_000);
  await using app = await setUp();
  const callers: readonly Caller[] = [
    {what: 'nobody', role: 'anonymous', authorization: ''},
    {what: 'local', role: 'admin', authorization: app.local},
    ...(await Promise.all(personRoles.map(role => callersOf(app, role)))).flat(),
    ...(await callersOfWorkspaces(app)),
    ...(await formerCallers(app)),
    await callerOfService(app, 'edge'),
    await callerOfService(app, 'builder'),
  ];
  const methods = await allMethods();
  t.true(methods.length >= 60, String(methods.length));
  t.true(callers.length >= 40, String(callers.length));

  for (const caller of callers) {
    const answers = await Promise.all(
      // It is open to everybody, and ends the session by which a browser would make the other calls.
      methods
        .filter(method => !(caller.cookie && method === SessionService.method.logout))
        .map(async method => {
          const open = isOpenTo(method, caller);
          return {method, open, code: await knock(app, method, {caller, open})};
        }),
    );
    for (const {method, open, code} of answers) {
      const refusal = caller.role === 'anonymous' ? Code.Unauthenticated : Code.PermissionDenied;
      t.is(
        code,
        open ? undefined : refusal,
        `${method.parent.name}.${method.name}, ${caller.what}`,
      );
    }
  }
});
