import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {type CurlAnswer, curlrc, runCurl} from './curl.ts';
import {type Example, fillIn, findExamples, readExamples, type Values} from './readme.ts';

const password = 'your own long password';

/** What running one example leaves for those below it. */
type Found = {-readonly [Name in keyof Values]?: Values[Name]};
type Check = (t: ExecutionContext, answer: CurlAnswer, found: Found) => void;

/** The printed MAC is the one of every manual and is kept of no machine: only the answer to its sender has it. */
const macAddress = '00:11:22:33:44:55';
const machine = {service_tag: 'ABC123'};
const group = {
  name: 'web-servers',
  description: 'Production web servers',
  tags: ['production', 'web'],
};
const sample = {memory_total_bytes: 17_179_869_184, load_average_5: 2.1};
const user = {username: 'operator1', email: 'operator@example.com', role: 'operator'};

const lists =
  (first: object): Check =>
  (t, answer) => {
    t.true(answer.rows().length >= 1, answer.text);
    t.true(answer.rows().some(row => includes(row, first)));
  };

/** Title → what the answer has to say, beside its status 200. They run in the order of the file. */
const examples: Readonly<Record<string, Check>> = {
  Login(t, answer, found) {
    const {token, expires_at: expiresAt} = answer.fields();
    t.regex(String(token), /^eyJ/);
    t.true(Date.parse(String(expiresAt)) > Date.now());
    t.like(answer.fields(), {user: {username: 'admin', role: 'admin'}});
    found.token = String(token);
  },
  'Using Authentication': (t, answer) => t.deepEqual(answer.rows(), []),
  'Enroll a Machine (no auth required)': (t, answer) =>
    t.like(answer.fields(), {...machine, mac_address: macAddress, state: 'discovered'}),
  'List Machines'(t, answer, found) {
    t.like(answer.rows(), {length: 1, 0: {...machine, state: 'discovered'}});
    found.machineId = String(answer.rows()[0]?.id);
  },
  'Get Machine Details': (t, answer, {machineId}) =>
    t.like(answer.fields(), {...machine, id: machineId}),
  'Update Machine (requires Operator or Admin role)': (t, answer) =>
    t.like(answer.fields(), {hostname: 'server01', nixos_config: '{ ... }'}),
  'Trigger Build (requires Operator or Admin role)': (t, answer, {machineId}) =>
    t.like(answer.fields(), {machine_id: machineId, backend: 'nix', kind: 'machine'}),
  'Create Group (requires Operator or Admin role)'(t, answer, found) {
    t.like(answer.fields(), group);
    found.groupId = String(answer.fields().id);
  },
  'List Groups': lists(group),
  'Add Machine to Group (requires Operator or Admin role)': (t, answer, {groupId}) =>
    t.like(answer.fields(), {group: {id: groupId}}),
  'Get Group Machines': lists(machine),
  'Bulk Update Machines': (t, answer) =>
    t.like(answer.fields(), {kind: 'bulk', action: 'update', children: {total: 1}}),
  'Bulk Build Machines': (t, answer) =>
    t.like(answer.fields(), {kind: 'bulk', action: 'build', children: {total: 1}}),
  'Get Latest Metrics': (t, answer) => t.like(answer.fields(), sample),
  'Get Metrics History'(t, answer) {
    t.like(answer.rows(), {length: 1, 0: sample});
  },
  // From this host; from elsewhere it needs a token or METRICS_SCRAPE_NETWORKS.
  'Prometheus Metrics Export: Public endpoint - no authentication required': (t, answer) =>
    t.regex(answer.text, /^# TYPE muster_machines gauge$/m),
  'Create Image Test'(t, answer, {machineId}) {
    const asked = {image_path: '/images/custom-image.img', image_type: 'custom', test_type: 'boot'};
    t.like(answer.fields(), {...asked, machine_id: machineId, status: 'pending'});
  },
  'List Image Tests': (t, answer) =>
    t.like(answer.rows(), {length: 1, 0: {image_type: 'custom', test_type: 'boot'}}),
  'Create User': (t, answer) => t.like(answer.fields(), {...user, password: undefined}),
  'List Users'(t, answer, found) {
    lists(user)(t, answer, found);
    found.adminId = String(answer.rows().find(({username}) => username === 'admin')?.id);
  },
  'Change admin password': (t, answer) =>
    t.like(answer.fields(), {username: 'admin', password: undefined}),
  // It is the example "Create User" once more, and the file is run from its top to its end: `prepare` takes the first one away.
  'Create additional users': (t, answer) => t.like(answer.fields(), user),
};

/** Title → why Muster answers these otherwise, and how it refuses them. */
const exceptions: Readonly<Record<string, {readonly reason: string; readonly status: number}>> = {
  'Configure BMC': {reason: 'power control is an issue of its own', status: 400},
  'Power Control Operations: Power on': {reason: 'power control', status: 404},
  'Power Control Operations: Power off': {reason: 'power control', status: 404},
  'Power Control Operations: Reset': {reason: 'power control', status: 404},
  'Power Control Operations: Get power status': {reason: 'power control', status: 404},
  'Get BMC Sensor Readings': {reason: 'power control', status: 404},
  'Submit Metrics (from machine)': {reason: 'it has no token and needs one', status: 401},
  'Login to get a token': {reason: 'admin/admin does not exist', status: 401},
};

let muster: Muster;
test.before(async () => {
  muster = await startMuster();
  await writeFile(join(muster.folder, '.curlrc'), curlrc);
  const {path} = await muster.client(SessionService).createSetupLink({});
  const body = JSON.stringify({code: path.split('#')[1], username: 'admin', password});
  const set = await post('/api/v1/setup', body);
  if (set.status !== 200) throw new Error(set.text);
});
test.after.always(() => muster[Symbol.asyncDispose]());

const post = (path: string, body: string, header = '') =>
  runCurl(
    `curl -X POST '${muster.serverUrl}${path}' -H 'Content-Type: application/json' -d '${body}' ${header}`,
    muster.folder,
  );

test('every curl of the README is run, or excepted with a reason', t => {
  const titles = readExamples().map(({title}) => title);
  t.deepEqual([...new Set(titles)], titles, 'each has a title of its own');
  const known = [...Object.keys(examples), ...Object.keys(exceptions)];
  t.deepEqual([...new Set(known)], known, 'each is in one list only');
  t.deepEqual(titles.toSorted(), known.toSorted());
});

test('no curl of a block is overlooked: comments, lists, substitutions, bodies of many lines', t => {
  const text =
    "## A\nrun `curl x`\n```bash\n# One\ncurl a \\\n  -d '{\n}'\n\n# Two\nT=$(curl b | jq)\n```\n1. **B**:\n   ```\n   curl c\n   # curl d\n   ```\n";
  t.deepEqual(
    findExamples(text).map(({title, line, command}) => [title, line, command.trim()]),
    [
      ['A: One', 5, "curl a \\\n  -d '{\n}'"],
      ['A: Two', 10, 'T=$(curl b | jq)'],
      ['B', 14, 'curl c'],
    ],
  );
  t.throws(() => findExamples("```\ncurl -d '{\n```\n"), {message: /Line 3/});
});

test('each is answered as printed, from the top of the file to its end', async t => {
  await using builder = await startContractBuilder(muster, 'examples', ['nix']);
  void builder;
  const found: Found = {};
  for (const {title, line, command} of readExamples()) {
    await prepare(title, found);
    const answer = await runCurl(
      fillIn(onlyCurl(command), {serverUrl: muster.serverUrl, password, ...found}),
      muster.folder,
    );
    const where = `line ${line}, "${title}": ${answer.status} ${answer.text}`;
    t.is(answer.status, exceptions[title]?.status ?? 200, where);
    examples[title]?.(t, answer, found);
  }
});

test('what its API takes in the query is taken, and a count that was asked for is given', async t => {
  const token = await muster.localToken();
  const {status, headers} = await fetch(
    `${muster.serverUrl}/api/v1/machines?count_total=true&page_size=1&filter=service_tag="nobody"`,
    {headers: {authorization: `Bearer ${token}`}},
  );
  t.is(status, 200);
  t.is(headers.get('total-size'), '0');
  t.is(headers.get('total-estimated'), null);
  t.is(headers.get('next-page-token'), null);
  const silent = await fetch(`${muster.serverUrl}/api/v1/machines`, {
    headers: {authorization: `Bearer ${token}`},
  });
  t.is(silent.headers.get('total-size'), null);
});

/** What a reader of the README has done by then. */
async function prepare(title: string, {token, machineId}: Found): Promise<void> {
  const header = `-H 'Authorization: Bearer ${token}'`;
  if (title === 'Get Latest Metrics') {
    const submit = commandOf('Submit Metrics (from machine)').replace('curl ', `curl ${header} `);
    const filled = fillIn(submit, {serverUrl: muster.serverUrl, ...(machineId && {machineId})});
    const answer = await runCurl(filled, muster.folder);
    if (answer.status !== 200) throw new Error(answer.text);
  }
  // It has put its image into the image store.
  if (title === 'Create Image Test') {
    const images = join(muster.folder, 'server', 'images', 'images');
    await mkdir(images, {recursive: true});
    await writeFile(join(images, 'custom-image.img'), 'a disk');
  }
  if (title === 'Create additional users')
    await runCurl(
      `curl -X DELETE '${muster.serverUrl}/api/v1/users/operator1' ${header}`,
      muster.folder,
    );
}

function commandOf(title: string): Example['command'] {
  const example = readExamples().find(example => example.title === title);
  if (!example) throw new Error(`Nothing printed under "${title}"`);
  return example.command;
}

/** Without what a shell does with the answer. */
const onlyCurl = (command: string): string =>
  /\$\((curl [^]*?) \| jq [^]*\)$/.exec(command)?.[1] ?? command.trim();

const includes = (row: object, part: object): boolean =>
  Object.entries(part).every(
    ([name, value]) =>
      JSON.stringify((row as Record<string, unknown>)[name]) === JSON.stringify(value),
  );
