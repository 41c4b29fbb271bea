import {once} from 'node:events';
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import type {BootFile} from './boot-file.ts';
import {imageTestUrlOf, runImageTest} from './image-test.ts';
import {createTools} from './run-command.ts';

type Report = {
  readonly nonce?: string;
  readonly checks?: readonly {
    readonly name: string;
    readonly passed: boolean;
    readonly detail: string;
    readonly output?: string;
    readonly exitStatus?: number;
  }[];
};

const log = {info() {}, warn() {}, error() {}, fatal() {}};
const boot: BootFile = {
  session: 'boot-test',
  token: 'the-nonce',
  tokenUrl: undefined,
  enrollUrl: 'http://10.0.2.2:1',
  natsServers: [],
  siteCa: 'none',
  bootMacAddress: undefined,
};

/** The server of one test, over real HTTP; gives the report, or undefined when the agent was told of a task and ran nothing. */
async function run(
  t: ExecutionContext,
  task: object,
  root = '/',
): Promise<{report: Report | undefined; asked: number}> {
  const directory = await mkdtemp(join(tmpdir(), 'muster-agent-test-'));
  t.teardown(() => rm(directory, {recursive: true, force: true}));
  const reported = Promise.withResolvers<Report | undefined>();
  let asked = 0;
  const server = http.createServer((request, response) => {
    if (request.url === '/image-test/task') {
      asked += 1;
      response.end(JSON.stringify(task));
      if ('nonce' in task && task.nonce !== boot.token) reported.resolve(undefined);
    } else if (request.url === '/image-test/report') {
      void text(request).then(body => {
        response.end('{}');
        reported.resolve(JSON.parse(body) as Report);
      });
    } else response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = new AbortController();
  const running = runImageTest(
    {
      boot: {...boot, enrollUrl: origin},
      url: `${origin}/image-test`,
      bootFile: join(directory, 'boot.json'),
      root,
      tools: createTools(root),
      log,
    },
    stop.signal,
  );
  const report = await reported.promise;
  stop.abort();
  await running;
  server.close();
  return {report, asked};
}

const script = (text: string, checkTimeLimitSeconds = 20) => ({
  nonce: boot.token,
  testType: 'TEST_TYPE_SCRIPT',
  plan: {script: text, checkTimeLimitSeconds},
});

test('a boot is a test only when boot.json says so and names the origin that it enrols at', t => {
  const url = 'http://10.0.2.2:1/image-test';
  t.is(imageTestUrlOf({...boot, imageTestUrl: url}), url);
  t.is(imageTestUrlOf(boot), undefined);
  t.is(imageTestUrlOf({...boot, imageTestUrl: 'http://10.0.2.3:1/image-test'}), undefined);
  t.is(imageTestUrlOf({...boot, imageTestUrl: 'http://10.0.2.2:2/image-test'}), undefined);
  t.is(imageTestUrlOf({...boot, imageTestUrl: 'https://10.0.2.2:1/image-test'}), undefined);
  t.is(imageTestUrlOf({...boot, imageTestUrl: '/image-test'}), undefined);
  t.is(imageTestUrlOf({...boot, session: '0199', imageTestUrl: url}), undefined);
});

test('a script runs, and what it wrote and how it ended is told', async t => {
  const {report} = await run(t, script('echo out; echo err >&2; printf "\\033[1mbold\\n"'));
  t.is(report?.nonce, boot.token);
  t.like(report?.checks, {length: 1, 0: {name: 'script', passed: true, exitStatus: 0}});
  for (const line of ['out\n', 'err\n', '[1mbold\n'])
    t.true(report?.checks?.[0]?.output?.includes(line));
});

test('a script that fails is told with its status', async t => {
  const {report} = await run(t, script('echo broken; exit 7'));
  t.like(report?.checks?.[0], {passed: false, exitStatus: 7, output: 'broken\n'});
});

test('a script ends at its time limit, with all that it started, and its output is bounded', async t => {
  const loud = 'yes 0123456789 | head -c 300000; echo; echo last; sleep 600 & sleep 600';
  const {report} = await run(t, script(loud, 1));
  const [check] = report?.checks ?? [];
  t.like(check, {passed: false, detail: 'It did not end within 1 s', exitStatus: undefined});
  t.true((check?.output?.length ?? 0) <= 64 * 1024);
  t.true(check?.output?.endsWith('last\n'));
});

test('a task of another test is not run', async t => {
  const marker = join(tmpdir(), `muster-agent-test-${process.pid}-${Date.now()}`);
  const {report, asked} = await run(t, {...script(`touch ${marker}`), nonce: 'another'});
  t.is(report, undefined);
  t.is(asked, 1);
  await t.throwsAsync(rm(marker), {code: 'ENOENT'});
});

test('units need systemd: where there is none, that is said', async t => {
  const root = await mkdtemp(join(tmpdir(), 'muster-agent-root-'));
  t.teardown(() => rm(root, {recursive: true, force: true}));
  const plan = {units: ['sshd.service'], checkTimeLimitSeconds: 5};
  const {report} = await run(t, {nonce: boot.token, testType: 'TEST_TYPE_SERVICE', plan}, root);
  t.like(report?.checks, {
    length: 1,
    0: {name: 'unit sshd.service', passed: false, detail: 'This image has no systemd'},
  });
});

/** A tree whose systemd knows one unit that becomes active at the second look, one that failed, and no other. */
async function treeWithSystemd(t: ExecutionContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'muster-agent-root-'));
  t.teardown(() => rm(root, {recursive: true, force: true}));
  await mkdir(join(root, 'usr/bin'), {recursive: true});
  const tool = (name: string, text: string) =>
    writeFile(join(root, 'usr/bin', name), `#!/bin/sh\n${text}\n`, {mode: 0o755});
  await tool(
    'systemctl',
    `for unit; do :; done
say() { printf 'LoadState=%s\\nActiveState=%s\\nSubState=%s\\n' "$@"; }
case $unit in
  slow.service) [ -e ${root}/seen ] && say loaded active running || { touch ${root}/seen; say loaded activating start; } ;;
  broken.service) say loaded failed failed ;;
  idle.service) say loaded inactive dead ;;
  *) say not-found inactive dead ;;
esac`,
  );
  await tool('journalctl', 'echo "$2: it said no"');
  return root;
}

test('units are waited for; one that failed, stays inactive or does not exist is told with its journal', async t => {
  const root = await treeWithSystemd(t);
  const units = ['slow.service', 'broken.service', 'idle.service', 'typo.service'];
  const plan = {units, checkTimeLimitSeconds: 3};
  const task = {nonce: boot.token, testType: 'TEST_TYPE_SERVICE', plan};
  const {report} = await run(t, task, root);
  t.deepEqual(
    report?.checks?.map(({name, passed, detail, output}) => [name, passed, detail, output]),
    [
      ['unit slow.service', true, 'active (running)', undefined],
      ['unit broken.service', false, 'failed (failed)', 'broken.service: it said no\n'],
      [
        'unit idle.service',
        false,
        'inactive (dead) at the end of the time limit',
        'idle.service: it said no\n',
      ],
      ['unit typo.service', false, 'This image has no such unit', undefined],
    ],
  );
});

test('the network is looked at: addresses, the way to the server, names', async t => {
  const plan = {resolveName: 'localhost'};
  const {report} = await run(t, {nonce: boot.token, testType: 'TEST_TYPE_NETWORK', plan});
  t.deepEqual(
    report?.checks?.map(({name}) => name),
    ['address', 'http', 'resolve'],
  );
  t.like(report?.checks?.[1], {passed: true, detail: "HTTP status 200 of the test's server"});
  t.like(report?.checks?.[2], {passed: true});
  t.regex(report?.checks?.[2]?.detail ?? '', /^"localhost" is /);
});
