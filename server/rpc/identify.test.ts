import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
} from '@connectrpc/connect';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import test from 'ava';
import {createBrowser} from '../../test/helpers/browser.ts';
import {basic, password, startPeople, type TestPeople} from '../../test/helpers/people.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {authorize} from './authorize.ts';
import {browserKey, browserOf} from './browsers.ts';
import {authenticate} from './caller.ts';
import {mapErrors} from './error-interceptor.ts';
import {recheckStreams} from './recheck-streams.ts';

const postgres = postgresOf(test);

const whoAmI = (app: TestPeople, as: string) => app.call('GET', '/api/v1/users/me', as);

test('a script sends name and password with each request; a wrong one is refused and counted', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  t.like((await whoAmI(app, basic('bob'))).body, {username: 'bob'});
  t.is((await app.call('GET', '/api/v1/users', basic('bob'))).status, 403);
  t.is((await app.call('GET', '/api/v1/sessions', basic('bob'))).status, 200);
  for (const wrong of [basic('bob', 'wrong'), basic('nobody', password), basic('', password)])
    t.is((await whoAmI(app, wrong)).status, 401);

  for (let count = 0; count < 5; count += 1) await whoAmI(app, basic('bob', `wrong ${count}`));
  const held = await whoAmI(app, basic('bob', 'wrong again'));
  t.is(held.status, 429);
  t.is(
    held.headers.get('retry-after'),
    /in (\d+) seconds/.exec(held.body.error?.message ?? '')?.[1] ?? 'no time',
  );
  // The script that knows it goes on, although somebody at its address guesses.
  t.is((await whoAmI(app, basic('bob'))).status, 200);
});

test('a password with a colon and letters beyond ASCII is read whole', async t => {
  await using app = await startPeople(postgres);
  const odd = 'pä:ss wörd:1';
  await app.people.users.create('local', {
    username: 'bob',
    email: '',
    password: odd,
    role: 'viewer',
  });
  t.is((await whoAmI(app, basic('bob', odd))).status, 200);
});

test('fifty requests at once with the right password are no fifty guesses', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const answers = await Promise.all(Array.from({length: 50}, () => whoAmI(app, basic('bob'))));
  t.true(answers.every(({status}) => status === 200));
});

test('what is remembered of a password ends with it, and with its user', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  t.is((await whoAmI(app, basic('bob'))).status, 200);
  await app.call('PUT', '/api/v1/users/bob', app.local, {password: 'another password'});
  t.is((await whoAmI(app, basic('bob'))).status, 401);
  t.is((await whoAmI(app, basic('bob', 'another password'))).status, 200);
  await app.call('PUT', '/api/v1/users/bob', app.local, {disabled: true});
  t.is((await whoAmI(app, basic('bob', 'another password'))).status, 403);
  await app.call('DELETE', '/api/v1/users/bob', app.local);
  t.is((await whoAmI(app, basic('bob', 'another password'))).status, 401);
});

test('guesses sent at once do not slip past the throttle', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const guesses = Array.from({length: 40}, (_, index) =>
    whoAmI(app, basic('bob', `guess ${index}`)),
  );
  const statuses = (await Promise.all(guesses)).map(({status}) => status);
  t.is(statuses.filter(status => status === 401).length, 5, 'the free ones');
  t.is(statuses.filter(status => status === 429).length, 35);
});

/** An endless stream behind the real identification, looked at again every 5 ms. */
function watchAs(app: TestPeople, proof: {readonly token: string} | {readonly cookie: string}) {
  const browser: Interceptor = next => request => {
    const headers = {'sec-fetch-site': 'same-origin', ...('cookie' in proof && proof)};
    request.contextValues.set(browserKey, browserOf({socket: {}, headers}, ''));
    return next(request);
  };
  const transport = createRouterTransport(
    router =>
      void router.service(EventService, {
        async *watchEvents(_request, {signal}) {
          yield {};
          await new Promise(resolve => signal.addEventListener('abort', resolve, {once: true}));
        },
      }),
    {
      router: {
        interceptors: [
          mapErrors(silentLogger),
          browser,
          authenticate(app.identify),
          authorize,
          recheckStreams(5),
        ],
      },
    },
  );
  const headers = 'token' in proof ? {authorization: `Bearer ${proof.token}`} : undefined;
  const events = createClient(EventService, transport).watchEvents({}, headers && {headers});
  return events[Symbol.asyncIterator]();
}

test('a stream that is open ends when its user is disabled, and when its token is revoked', async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const {token} = await app.logIn('bob');
  const made = await app.people.apiTokens.create(
    {name: 'local', role: 'admin'},
    {name: 'ci', role: 'viewer', lifetimeSeconds: 0, userId: 'bob'},
  );
  const bySession = watchAs(app, {token});
  const byToken = watchAs(app, {token: made.token});
  for (const stream of [bySession, byToken]) t.false((await stream.next()).done);

  // It outlives its access token while the session goes on.
  app.clock.ms += 16 * 60_000;
  await app.call('DELETE', `/api/v1/tokens/${made.row.id}`, app.local);
  const revoked = ConnectError.from(await t.throwsAsync(byToken.next()));
  t.is(revoked.code, Code.Unauthenticated);
  t.regex(revoked.rawMessage, /it was revoked/);
  const open = bySession.next();
  await app.call('PUT', '/api/v1/users/bob', app.local, {disabled: true});
  await t.throwsAsync(open, {message: /its session has ended; sign in again/});
});

test("a browser's stream ends when its session is revoked, and when nothing but streams has used it", async t => {
  await using app = await startPeople(postgres);
  await app.create('bob', 'viewer');
  const signIn = async () => {
    const browser = createBrowser(app.url);
    await browser.call('POST', '/api/v1/login', {username: 'bob', password, cookie: true});
    return browser;
  };
  const lost = await signIn();
  const revoked = watchAs(app, {cookie: lost.cookie()});
  const idle = watchAs(app, {cookie: (await signIn()).cookie()});
  for (const stream of [revoked, idle]) t.false((await stream.next()).done);

  const {body} = await lost.call('GET', '/api/v1/caller');
  const id = String(body['session_id']);
  await app.call('DELETE', `/api/v1/sessions/${id}`, app.local);
  await t.throwsAsync(revoked.next(), {message: /its session has ended; sign in again/});
  const open = idle.next();
  app.clock.ms += 8 * 3_600_000;
  await t.throwsAsync(open, {message: /its session has ended; sign in again/});
});
