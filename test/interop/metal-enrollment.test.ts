import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {type CurlAnswer, curlrc, runCurl} from './curl.ts';
import {fillIn, readExamples, type Values} from './readme.ts';

const password = 'your own long password';

/** Title → command, as the README of Metal Enrollment prints it. */
const printed: ReadonlyMap<string, string> = new Map(
  readExamples().map(({title, command}) => [title, command]),
);

let muster: Muster;
test.before(async () => {
  muster = await startMuster();
  await writeFile(join(muster.folder, '.curlrc'), curlrc);
});
test.after.always(() => muster[Symbol.asyncDispose]());

const curl = (command: string) => runCurl(command, muster.folder);

/** Runs a command of the README with nothing changed but host and placeholders. */
function readme(title: string, values: Partial<Values> = {}): Promise<CurlAnswer> {
  const command = printed.get(title);
  if (command === undefined) throw new Error(`Nothing printed under "${title}"`);
  return curl(fillIn(command, {serverUrl: muster.serverUrl, password, ...values}));
}

/** curl by hand, with a body. */
const send = (verb: string, path: string, {token = '', body = ''} = {}) =>
  curl(
    [
      `curl -X ${verb} '${muster.serverUrl}${path}' -H 'Content-Type: application/json'`,
      token && `-H 'Authorization: Bearer ${token}'`,
      body && `-d '${body}'`,
    ].join(' '),
  );

async function setUpAdministrator(): Promise<string> {
  const {path} = await muster.client(SessionService).createSetupLink({});
  const code = path.split('#')[1] ?? '';
  const answer = await send('POST', '/api/v1/setup', {
    body: JSON.stringify({code, username: 'admin', password}),
  });
  if (answer.status !== 200) throw new Error(answer.text);
  return code;
}

test.serial(
  'nobody is let in by a default password; the setup link makes the first administrator, once',
  async t => {
    const guessed = await readme('Login', {password: 'admin'});
    t.is(guessed.status, 401);
    t.is(guessed.refusal().code, 'unauthenticated');

    const wrong = {code: 'x'.repeat(32), username: 'eve', password};
    t.is((await send('POST', '/api/v1/setup', {body: JSON.stringify(wrong)})).status, 403);
    const code = await setUpAdministrator();
    const again = {code, username: 'eve', password};
    t.is((await send('POST', '/api/v1/setup', {body: JSON.stringify(again)})).status, 403);

    t.is((await readme('Login', {password: 'admin'})).status, 401);
    const login = await readme('Login');
    t.is(login.status, 200, login.text);
    const {token, expires_at: expiresAt, user} = login.fields();
    t.regex(String(token), /^eyJ/);
    t.true(Date.parse(String(expiresAt)) > Date.now());
    t.like(user, {username: 'admin', role: 'admin'});
    t.false(login.text.includes('password'));
  },
);

async function logIn(): Promise<string> {
  return String((await readme('Login')).fields().token);
}

async function enroll(token: string): Promise<string> {
  await readme('Enroll a Machine (no auth required)');
  const [machine] = (await readme('List Machines', {token})).rows();
  return String(machine?.id);
}

test.serial('a machine is enrolled, listed, shown and changed', async t => {
  const token = await logIn();
  const enrolled = await readme('Enroll a Machine (no auth required)');
  t.is(enrolled.status, 200, enrolled.text);
  t.like(enrolled.fields(), {
    service_tag: 'ABC123',
    mac_address: '00:11:22:33:44:55',
    state: 'discovered',
  });

  for (const title of ['Using Authentication', 'List Machines']) {
    const list = await readme(title, {token});
    t.is(list.status, 200);
    t.like(list.rows(), {length: 1, 0: {service_tag: 'ABC123', state: 'discovered'}});
    t.is((await readme(title, {token: 'eyJ.forged.token'})).status, 401);
  }
  const machineId = await enroll(token);
  const updated = await readme('Update Machine (requires Operator or Admin role)', {
    token,
    machineId,
  });
  t.is(updated.status, 200, updated.text);
  const machine = (await readme('Get Machine Details', {token, machineId})).fields();
  t.like(machine, {
    id: machineId,
    hostname: 'server01',
    nixos_config: '{ ... }',
    trust: 'seen',
    clock_skew_ms: 0,
    image_config: undefined,
  });

  const renamed = await send('PUT', `/api/v1/machines/${machineId}`, {
    token,
    body: '{"description": "rack 7"}',
  });
  t.like(renamed.fields(), {hostname: 'server01', description: 'rack 7'});
});

test.serial('a build says which builder is missing; with one the image is built', async t => {
  const token = await logIn();
  const machineId = await enroll(token);
  await using builder = await startContractBuilder(muster, 'debian-only');
  void builder;

  await readme('Update Machine (requires Operator or Admin role)', {token, machineId});
  const build = () => readme('Trigger Build (requires Operator or Admin role)', {token, machineId});
  const refused = await build();
  t.is(refused.status, 400);
  t.like(refused.refusal(), {
    code: 'failed_precondition',
    message:
      'Cannot build machine "server01": no live builder offers nix (builder "debian-only": it does not offer nix)',
  });

  const body = '{"nixos_config": "", "image_config": {"host_name": "web1", "packages": ["nginx"]}}';
  const configured = await send('PUT', `/api/v1/machines/${machineId}`, {token, body});
  t.like(configured.fields(), {image_config: {host_name: 'web1', packages: ['nginx']}});

  const started = await build();
  t.is(started.status, 200, started.text);
  const {id} = started.fields();
  t.like(started.fields(), {machine_id: machineId, kind: 'machine', backend: 'debian'});
  const built = await until('the build', async () => {
    const answer = (await send('GET', `/api/v1/builds/${String(id)}`, {token})).fields();
    return JSON.stringify(answer.operation).includes('"succeeded"') && answer;
  });
  const machine = (await readme('Get Machine Details', {token, machineId})).fields();
  t.is(machine.desired_image_id, built.image_id);
  const path = `/api/v1/images/${String(built.image_id)}`;
  const image = (await send('GET', path, {token})).fields();
  t.like(image, {memory_required_bytes: 2 ** 29, kernel: {name: 'vmlinuz'}, kind: 'machine'});
});

test.serial('metrics need a token; with one they are kept', async t => {
  const token = await logIn();
  const machineId = await enroll(token);
  const title = 'Submit Metrics (from machine)';
  const none = await readme('Get Latest Metrics', {token, machineId});
  t.is(none.status, 404, none.text);

  const anonymous = await readme(title, {machineId});
  t.is(anonymous.status, 401);
  t.regex(anonymous.refusal().message, /without a token: sign in and send "Authorization: Bearer/);

  const block = printed.get(title) ?? '';
  const withToken = block
    .replace('http://localhost:8080', muster.serverUrl)
    .replace('<machine-id>', machineId)
    .replace('curl ', `curl -H 'Authorization: Bearer ${token}' `);
  const sample = {
    cpu_usage_percent: 45.2,
    memory_used_bytes: 8_589_934_592,
    disk_total_bytes: 536_870_912_000,
    load_average_15: 1.8,
    power_state: 'on',
    uptime: 86_400,
  };
  const submitted = await curl(withToken);
  t.is(submitted.status, 200, submitted.text);
  t.like(submitted.fields(), sample);
  t.like((await readme('Get Latest Metrics', {token, machineId})).fields(), sample);
  const history = (await readme('Get Metrics History', {token, machineId})).rows();
  t.like(history, {length: 1, 0: sample});
});

test.serial('users are made by an administrator, and each role is held to its rights', async t => {
  const token = await logIn();
  const created = await readme('Create User', {token});
  t.is(created.status, 200, created.text);
  t.like(created.fields(), {username: 'operator1', role: 'operator', password: undefined});
  t.is((await readme('Create User', {token})).status, 409);

  const login = await send('POST', '/api/v1/login', {
    body: '{"username": "operator1", "password": "secure-password"}',
  });
  const operator = String(login.fields().token);
  t.is((await readme('List Machines', {token: operator})).status, 200);
  const refused = await readme('List Users', {token: operator});
  t.is(refused.status, 403);
  t.regex(refused.refusal().message, /admin/);
  const users = (await readme('List Users', {token})).rows();
  t.deepEqual(new Set(users.map(({username}) => username)), new Set(['admin', 'operator1']));
});

test.serial('what does not exist or cannot be read is answered in JSON', async t => {
  const token = await logIn();
  const machineId = await enroll(token);
  const machine = `/api/v1/machines/${machineId}`;
  const cases: readonly [verb: string, path: string, body: string, number, string, RegExp][] = [
    ['GET', '/api/v1/nothing', '', 404, 'not_found', /no such path/],
    ['GET', '/', '', 404, 'not_found', /no such path/],
    ['POST', machine, '', 405, 'unimplemented', /GET/],
    ['GET', '/api/v1/machines/nobody', '', 404, 'not_found', /nobody/],
    ['GET', '/api/v1/machines?colour=red', '', 400, 'invalid_argument', /"colour"/],
    ['GET', '/api/v1/machines?page_size=-1', '', 400, 'invalid_argument', /page_size/],
    ['GET', '/api/v1/machines?states=asleep', '', 400, 'invalid_argument', /"active"/],
    ['PUT', machine, '{"host": "a"}', 400, 'invalid_argument', /unknown field.*"host"/],
    ['PUT', machine, '{"hostname": ', 400, 'invalid_argument', /not JSON/],
    ['PUT', machine, '{"state": "active"}', 400, 'invalid_argument', /"state"/],
    ['PUT', machine, '{"hostname": "a b"}', 400, 'invalid_argument', /hostname/],
    ['POST', '/api/v1/enroll', '[]', 400, 'invalid_argument', /object/],
    ['POST', '/api/v1/enroll', '{}', 400, 'invalid_argument', /service_tag|serial|MAC/],
  ];
  for (const [verb, path, body, status, code, message] of cases) {
    const answer = await send(verb, path, {token, body});
    t.is(answer.status, status, `${verb} ${path} ${body}: ${answer.text}`);
    const error = answer.refusal();
    t.is(error.code, code, `${verb} ${path} ${body}`);
    t.regex(error.message, message);
  }
});

test.serial(
  'the administrator changes the own password and goes on with the same token',
  async t => {
    const token = await logIn();
    const users = (await readme('List Users', {token})).rows();
    const adminId = String(users.find(({username}) => username === 'admin')?.id);
    const changed = await readme('Change admin password', {token, adminId});
    t.is(changed.status, 200, changed.text);
    t.false(changed.text.includes('new-secure'));
    t.is((await send('DELETE', '/api/v1/users/operator1', {token})).status, 200);
    t.is((await readme('Create additional users', {token})).status, 200);
    t.is((await readme('Login')).status, 401);
    t.is((await readme('Login', {password: 'new-secure-password'})).status, 200);
  },
);
