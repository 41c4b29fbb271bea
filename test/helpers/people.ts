import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {loadConfig} from '@muster/server/config.ts';
import {createServices} from '@muster/server/domain/services.ts';
import {makeSecretCode} from '@muster/server/domain/secret-codes.ts';
import {openFoundation} from '@muster/server/foundation.ts';
import {createPeople} from '@muster/server/people.ts';
import {createIdentify} from '@muster/server/rpc/identify.ts';
import {sessionService} from '@muster/server/rpc/sessions.ts';
import {tokenService} from '@muster/server/rpc/tokens.ts';
import {userService} from '@muster/server/rpc/users.ts';
import type {TlsKeys} from '@muster/runtime/rpc-server.ts';
import type {Role} from '@muster/server/store/users.ts';
import {pino} from 'pino';
import {serve} from './one-port.ts';
import type {TestDatabases} from './postgres.ts';

export const password = 'correct horse battery';

export type PeopleAnswer = {
  readonly status: number;
  /** Of an object; a list's rows are under their index. */
  readonly body: Record<string, unknown> & {readonly error?: {code: string; message: string}};
  readonly headers: Headers;
};

/** The real use cases of people behind the real port, with a clock that the test moves and everything that was logged. */
export async function startPeople(
  postgres: TestDatabases,
  settings: Readonly<Record<string, string>> = {},
  tls?: TlsKeys,
) {
  await using stack = new AsyncDisposableStack();
  const {sql, url: databaseUrl} = stack.use(await postgres.createDatabase());
  const folder = await mkdtemp(join(tmpdir(), 'muster-people-'));
  stack.defer(() => rm(folder, {recursive: true, force: true}));
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    MASTER_KEY_FILE: join(folder, 'master.key'),
    ...settings,
  });
  const {key, trust} = stack.use(await openFoundation(config));
  const clock = {ms: Date.now()};
  const now = () => new Date(clock.ms);
  const deps = {sql, now, newId: () => uuidv7(clock.ms)};
  const people = createPeople({deps, key, config});
  const local = makeSecretCode('local');
  const identify = createIdentify({
    ...people,
    checkPassword: people.checkRememberedPassword,
    services: createServices({...deps, trust}),
    localTokenSha256: local.sha256,
  });
  const logged: string[] = [];
  const server = stack.use(
    await serve({
      identify,
      tls,
      publicOrigin: config.publicUrl,
      log: pino({level: 'trace'}, {write: line => void logged.push(line)}),
      routes: router => {
        router.service(SessionService, sessionService(people));
        router.service(UserService, userService(people));
        router.service(TokenService, tokenService(people.apiTokens));
      },
    }),
  );

  /** `as` is a token, or "Basic …" as it stands. */
  const call = async (
    verb: string,
    path: string,
    as = '',
    body?: object,
  ): Promise<PeopleAnswer> => {
    const response = await fetch(server.url + path, {
      method: verb,
      headers: as === '' ? {} : {authorization: as.startsWith('Basic ') ? as : `Bearer ${as}`},
      ...(body ? {body: JSON.stringify(body)} : {}),
    });
    const {status, headers} = response;
    return {status, headers, body: (await response.json()) as PeopleAnswer['body']};
  };
  const logIn = async (username: string, given = password) => {
    const {status, body} = await call('POST', '/api/v1/login', '', {username, password: given});
    if (status !== 200) throw new Error(`${status} ${body.error?.message}`);
    return {token: String(body['token']), refreshToken: String(body['refresh_token'])};
  };

  const owned = stack.move();
  return {
    sql,
    clock,
    people,
    identify,
    url: server.url,
    tlsUrl: server.tlsUrl,
    logged,
    /** Of the administrator of the host. */
    local: local.code,
    call,
    logIn,
    create: (username: string, role: Role) =>
      people.users.create('local', {username, email: '', password, role}),
    events: async () =>
      sql<{type: string; actor: string; subject: string; data: object}[]>`
        select type, actor, subject, data from events order by sequence
      `,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export type TestPeople = Awaited<ReturnType<typeof startPeople>>;

export const basic = (username: string, given = password): string =>
  `Basic ${Buffer.from(`${username}:${given}`).toString('base64')}`;
