import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Code, ConnectError, createClient, type Interceptor} from '@connectrpc/connect';
import {createConnectTransport} from '@connectrpc/connect-node';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import test from 'ava';
import {createClientPki, type Issued} from '../helpers/client-pki.ts';
import {basic, password} from '../helpers/people.ts';
import {postgresOf} from '../helpers/postgres.ts';
import {startTestServer} from '../helpers/test-server.ts';
import {runCommand} from '../helpers/command.ts';

const postgres = postgresOf(test);

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'muster-tls-'));
  stack.defer(() => rm(folder, {recursive: true, force: true}));
  const pki = await createClientPki('people');
  const identity = await pki.issue([{CN: ['server']}]);
  const save = async (name: string, content: string) => {
    const path = join(folder, name);
    await writeFile(path, content, {mode: 0o600});
    return path;
  };
  const server = stack.use(
    await startTestServer({
      postgres,
      settings: {
        TLS_PORT: '0',
        TLS_CERT_FILE: await save('server.pem', identity.certificate),
        TLS_KEY_FILE: await save('server.key', identity.key),
        TLS_CLIENT_CA_FILE: await save('ca.pem', pki.ca),
      },
    }),
  );
  const baseUrl = server.tlsUrl;
  const clientWith = (
    shown: Issued | undefined,
    {
      httpVersion = '1.1',
      authorization = '',
      from = '',
    }: {httpVersion?: '1.1' | '2'; authorization?: string; from?: string} = {},
  ) => {
    const authorize: Interceptor = next => request => {
      if (authorization) request.header.set('authorization', authorization);
      if (from) request.header.set('sec-fetch-site', from);
      return next(request);
    };
    const interceptors = [authorize];
    const nodeOptions = {ca: pki.ca, ...(shown && {cert: shown.certificate, key: shown.key})};
    return createClient(
      UserService,
      httpVersion === '2'
        ? createConnectTransport({
            baseUrl,
            httpVersion,
            interceptors,
            nodeOptions,
            idleConnectionTimeoutMs: 1000,
          })
        : createConnectTransport({baseUrl, httpVersion, interceptors, nodeOptions}),
    );
  };
  const local = `Bearer ${await server.localToken()}`;
  const administration = clientWith(undefined, {authorization: local});
  const addUser = (
    username: string,
    certificateSubject: string,
    role: User_Role = User_Role.VIEWER,
  ) =>
    administration
      .createUser({username, password, role})
      .then(() => administration.updateUser({id: username, certificateSubject}));
  const owned = stack.move();
  return {
    pki,
    save,
    baseUrl,
    clientWith,
    administration,
    addUser,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function refusal(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error('The call was let in');
}

test('a client certificate is the login of the user that its subject is mapped to', async t => {
  await using site = await setUp();
  await site.addUser('alice', 'O=Example,CN=alice', User_Role.OPERATOR);
  const shown = await site.pki.issue([{O: ['Example']}, {CN: ['alice']}]);
  for (const httpVersion of ['1.1', '2'] as const) {
    const alice = site.clientWith(shown, {httpVersion});
    t.like((await alice.getCurrentUser({})).user, {username: 'alice'}, httpVersion);
    t.is((await refusal(alice.listUsers({}))).code, Code.PermissionDenied);
  }
  // Whoever says who they are by a header is that.
  await site.addUser('bob', '');
  const asBob = site.clientWith(shown, {authorization: basic('bob')});
  t.like((await asBob.getCurrentUser({})).user, {username: 'bob'});
});

test("a certificate that is nobody's, of another CA, expired, or of a disabled user opens nothing", async t => {
  await using site = await setUp();
  await site.addUser('alice', 'CN=alice');
  const subject = [{CN: ['alice']}];
  const other = await createClientPki('people');
  const cases: readonly [what: string, shown: Issued, why: RegExp][] = [
    ["nobody's", await site.pki.issue([{CN: ['mallory']}]), /no active user's/],
    [
      'more than the subject',
      await site.pki.issue([{O: ['X']}, {CN: ['alice']}]),
      /no active user's/,
    ],
    ['another CA of the same name', await other.issue(subject), /not of a CA/],
    ['expired', await site.pki.issue(subject, {expired: true}), /not of a CA|expired/],
  ];
  for (const [what, shown, why] of cases) {
    const error = await refusal(site.clientWith(shown).getCurrentUser({}));
    t.is(error.code, Code.Unauthenticated, what);
    t.regex(error.rawMessage, why, what);
  }
  const none = await refusal(site.clientWith(undefined).getCurrentUser({}));
  t.regex(none.rawMessage, /without a token/);

  const good = await site.pki.issue(subject);
  t.truthy(await site.clientWith(good).getCurrentUser({}));
  await site.administration.updateUser({id: 'alice', disabled: true});
  t.is((await refusal(site.clientWith(good).getCurrentUser({}))).code, Code.Unauthenticated);
  await site.administration.updateUser({id: 'alice', disabled: false, certificateSubject: ''});
  t.is((await refusal(site.clientWith(good).getCurrentUser({}))).code, Code.Unauthenticated);
});

test('a browser shows its certificate to pages of this server, not to those of others', async t => {
  await using site = await setUp();
  await site.addUser('alice', 'CN=alice');
  const shown = await site.pki.issue([{CN: ['alice']}]);
  for (const from of ['same-origin', 'none'])
    t.like((await site.clientWith(shown, {from}).getCurrentUser({})).user, {username: 'alice'});
  for (const from of ['cross-site', 'same-site']) {
    const error = await refusal(site.clientWith(shown, {from}).getCurrentUser({}));
    t.is(error.code, Code.PermissionDenied, from);
    t.regex(error.rawMessage, /^Cannot accept the client certificate: /);
  }
});

test('a value cannot pretend to be two attributes', async t => {
  await using site = await setUp();
  await site.addUser('root', 'O=Example,CN=root', User_Role.ADMIN);
  for (const forged of ['Example,CN=root', 'Example\nCN=root', 'Example\\,CN=root']) {
    const shown = await site.pki.issue([{O: [forged]}]);
    const error = await refusal(site.clientWith(shown).getCurrentUser({}));
    t.is(error.code, Code.Unauthenticated, JSON.stringify(forged));
  }
});

test('one subject is one user', async t => {
  await using site = await setUp();
  await site.addUser('alice', 'CN=alice');
  const error = await refusal(site.addUser('bob', 'CN=alice'));
  t.is(error.code, Code.AlreadyExists);
  t.regex(error.rawMessage, /it is mapped to "alice"/);
});

test('"muster" shows its client certificate', async t => {
  await using site = await setUp();
  await site.addUser('alice', 'CN=alice', User_Role.ADMIN);
  const shown = await site.pki.issue([{CN: ['alice']}]);
  const {status, stdout, stderr} = await runCommand(['users', 'get', 'alice'], {
    SERVER_URL: site.baseUrl,
    MUSTER_DATA_DIR: '/nonexistent',
    MUSTER_CREDENTIALS_FILE: '/nonexistent/credentials.json',
    MUSTER_CLIENT_CERT_FILE: await site.save('alice.pem', shown.certificate),
    MUSTER_CLIENT_KEY_FILE: await site.save('alice.key', shown.key),
    MUSTER_CA_FILE: await site.save('site-ca.pem', site.pki.ca),
  });
  t.is(status, 0, stderr);
  t.regex(stdout, /certificate +CN=alice/);
});

test('a certificate without its key, or a key without its certificate, is said at the start', async t => {
  const {loadTlsKeys} = await import('@muster/server/tls-keys.ts');
  const none = {tlsCertificateFile: '', tlsKeyFile: '', tlsClientCaFile: ''};
  t.is(await loadTlsKeys(none), undefined);
  await t.throwsAsync(loadTlsKeys({...none, tlsClientCaFile: 'x'}), {message: /set TLS_CERT_FILE/});
  await t.throwsAsync(loadTlsKeys({...none, tlsCertificateFile: 'x'}), {message: /TLS_KEY_FILE/});
});
