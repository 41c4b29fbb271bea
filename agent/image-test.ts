import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import {existsSync} from 'node:fs';
import {networkInterfaces} from 'node:os';
import {dirname, join} from 'node:path';
import type {
  GuestReportJson,
  ImageTestCheckJson,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import type {BootFile} from './boot-file.ts';
import {request} from './http.ts';
import {
  countField,
  fieldOf,
  isObject,
  type JsonObject,
  parseObject,
  textField,
  textsField,
} from './json.ts';
import {describeError, type Log} from './log.ts';
import {checkResolver} from './resolver-check.ts';
import type {Tools} from './run-command.ts';
import {backoffMs, pause} from './waits.ts';

const callTimeoutMs = 15_000;
const taskBytesMax = 256 * 1024;
const attemptsMax = 8;
const retry = {firstMs: 500, longestMs: 10_000} as const;
const unitPollMs = 1000;
const drainMs = 2000;
const toolTimeoutMs = 15_000;
const outputLengthMax = 64 * 1024;
const journalLengthMax = 4096;
const journalLines = 40;
const checkSecondsDefault = 120;
const unitsMax = 16;
/** Also of NixOS, whose services have next to nothing in theirs. */
const scriptPath =
  '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

type Kit = {
  readonly boot: BootFile;
  /** Where this boot's test is; see `imageTestUrlOf`. */
  readonly url: string;
  /** boot.json's place: a script is put beside it. */
  readonly bootFile: string;
  readonly root: string;
  readonly tools: Tools;
  readonly log: Log;
};

type Check = ImageTestCheckJson;

/**
 * What boot.json says when this boot is a test of the image (docs/image-tests.md): its server is the one that the machine enrols at. Undefined on every
 * other boot: then nobody can make the agent look at units or run a script, for no command does.
 */
export function imageTestUrlOf({session, enrollUrl, imageTestUrl}: BootFile): string | undefined {
  if (imageTestUrl === undefined || session !== 'boot-test') return undefined;
  if (!URL.canParse(imageTestUrl) || !URL.canParse(enrollUrl)) return undefined;
  return new URL(imageTestUrl).origin === new URL(enrollUrl).origin
    ? imageTestUrl.replace(/\/+$/, '')
    : undefined;
}

/** Asks the test's server what to look at, does it, and tells. Then waits for its machine to be switched off. */
export async function runImageTest(kit: Kit, signal: AbortSignal): Promise<void> {
  const task = await fetchTask(kit, signal);
  if (task) {
    const checks = await runTask(kit, task, signal);
    for (const {name, passed, detail} of checks)
      kit.log.info({check: name, passed}, detail ?? (passed ? 'passed' : 'failed'));
    await send(kit, {nonce: kit.boot.token, checks}, signal);
  }
  if (!signal.aborted) await once(signal, 'abort');
}

/** Undefined when there is none of this test. */
async function fetchTask(kit: Kit, signal: AbortSignal): Promise<JsonObject | undefined> {
  const body = await persist(kit, signal, async () => {
    const answer = await call(kit, '/task', undefined, signal);
    if (answer.status !== 200) throw new Error(`HTTP status ${answer.status}`);
    return answer.body;
  });
  const task = parseObject(body ?? '');
  if (task && textField(task, 'nonce') === kit.boot.token) return task;
  kit.log.warn({}, 'the task of this test names another nonce than boot.json: not run');
  return undefined;
}

async function send(kit: Kit, report: GuestReportJson, signal: AbortSignal): Promise<void> {
  await persist(kit, signal, async () => {
    const answer = await call(kit, '/report', JSON.stringify(report), signal);
    if (answer.status !== 200) throw new Error(`HTTP status ${answer.status}`);
  });
}

const call = ({url, boot}: Kit, path: string, body: string | undefined, signal: AbortSignal) =>
  request({
    url: `${url}${path}`,
    ...(body === undefined ? {} : {body}),
    siteCa: boot.siteCa,
    timeoutMs: callTimeoutMs,
    bodyBytesMax: taskBytesMax,
    signal,
  });

/** A few times. Undefined when that did not help. */
async function persist<T>(
  {log}: Kit,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (let attempt = 0; attempt < attemptsMax && !signal.aborted; attempt++) {
    try {
      return await work();
    } catch (error) {
      log.warn({attempt}, `cannot reach the test's server: ${describeError(error)}`);
      await pause(backoffMs(attempt, retry), signal);
    }
  }
  return undefined;
}

async function runTask(kit: Kit, task: JsonObject, signal: AbortSignal): Promise<Check[]> {
  const given = fieldOf(task, 'plan');
  const plan = isObject(given) ? given : {};
  const limitMs = (countField(plan, 'checkTimeLimitSeconds') || checkSecondsDefault) * 1000;
  const deadlineMs = performance.now() + limitMs;
  switch (textField(task, 'testType')) {
    case 'TEST_TYPE_NETWORK':
      return checkNetwork(kit, textField(plan, 'resolveName') ?? '', signal);
    case 'TEST_TYPE_SERVICE': {
      const units = textsField(plan, 'units').slice(0, unitsMax);
      return Promise.all(
        units.map(unit => timed(() => checkUnit(kit, {unit, deadlineMs}, signal))),
      );
    }
    case 'TEST_TYPE_SCRIPT': {
      const script = textField(plan, 'script') ?? '';
      return [await timed(() => runScript(kit, {script, limitMs}, signal))];
    }
    default:
      return [];
  }
}

async function timed(work: () => Promise<Check>): Promise<Check> {
  const startedMs = performance.now();
  return {...(await work()), durationMs: Math.round(performance.now() - startedMs)};
}

/** Waits for the unit: a machine that has just started is still starting them. */
async function checkUnit(
  {tools}: Kit,
  {unit, deadlineMs}: {readonly unit: string; readonly deadlineMs: number},
  signal: AbortSignal,
): Promise<Check> {
  const name = `unit ${unit}`;
  for (;;) {
    const state = await unitState(tools, unit);
    if (state.problem) return {name, passed: false, detail: state.problem};
    if (state.active === 'active') return {name, passed: true, detail: `active (${state.sub})`};
    const isLate = performance.now() > deadlineMs || signal.aborted;
    if (state.active === 'failed' || isLate) {
      const detail = `${state.active} (${state.sub})${isLate ? ' at the end of the time limit' : ''}`;
      return {name, passed: false, detail, output: await journalOf(tools, unit)};
    }
    await pause(unitPollMs, signal);
  }
}

async function unitState(tools: Tools, unit: string) {
  const properties = ['LoadState', 'ActiveState', 'SubState'];
  const args = ['show', '--property', properties.join(','), '--', unit];
  const text = await tools.capture('systemctl', args, toolTimeoutMs).catch(describeError);
  if (text === undefined) return {problem: 'This image has no systemd', active: '', sub: ''};
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';
  const problem = value('LoadState') === 'not-found' ? 'This image has no such unit' : '';
  return {problem, active: value('ActiveState') || 'unknown', sub: value('SubState')};
}

async function journalOf(tools: Tools, unit: string): Promise<string> {
  const args = ['--unit', unit, '--lines', String(journalLines), '--no-pager', '--output', 'cat'];
  const text = await tools.capture('journalctl', args, toolTimeoutMs).catch(describeError);
  return printable(text ?? '').slice(-journalLengthMax);
}

/** As root, by /bin/sh. Everything that it started ends with it. */
async function runScript(
  kit: Kit,
  {script, limitMs}: {readonly script: string; readonly limitMs: number},
  signal: AbortSignal,
): Promise<Check> {
  const path = join(dirname(kit.bootFile), 'image-test.sh');
  await writeFile(path, script, {mode: 0o700});
  const [program, args] = commandOf(kit, path, limitMs);
  const child = spawn(program, args, {
    cwd: kit.root,
    env: {PATH: scriptPath, HOME: '/root'},
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-outputLengthMax);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const closed = Promise.withResolvers<void>();
  child.once('close', closed.resolve);
  const endGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nothing of it runs any more.
    }
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    endGroup();
  }, limitMs);
  const [status, signalName] = (await once(child, 'exit').catch((error: unknown) => {
    output = describeError(error);
    return [127, null];
  })) as [number | null, string | null];
  clearTimeout(timer);
  endGroup();
  // What it wrote last may still be in the pipe; something that left the group may hold that open.
  await Promise.race([closed.promise, pause(drainMs, signal)]);
  return {
    name: 'script',
    passed: status === 0,
    detail: isLate
      ? `It did not end within ${limitMs / 1000} s`
      : signalName
        ? `It was ended by ${signalName}`
        : `It ended with status ${status}`,
    output: printable(output),
    ...(status === null ? {} : {exitStatus: status}),
  };
}

/**
 * Where the agent is locked in (nixos/modules/agent-hardening.nix), a unit of its own gives the script the machine as root has it; that takes a system
 * bus. The unit has its own limit, a little beyond ours, should we be killed.
 */
function commandOf(
  {root, tools}: Kit,
  path: string,
  limitMs: number,
): readonly [string, readonly string[]] {
  const shell = join(root, 'bin/sh');
  const systemdRun = tools.find('systemd-run');
  if (systemdRun === undefined || !existsSync(join(root, 'run/dbus/system_bus_socket')))
    return [shell, [path]];
  const limits = ['--property', `RuntimeMaxSec=${Math.ceil(limitMs / 1000) + 5}`];
  const unit = ['--quiet', '--wait', '--pipe', '--collect', '--setenv', `PATH=${scriptPath}`];
  return [systemdRun, [...unit, ...limits, '--', shell, path]];
}

async function checkNetwork(kit: Kit, resolveName: string, signal: AbortSignal): Promise<Check[]> {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    list
      .filter(({internal, address}) => !internal && !address.startsWith('fe80:'))
      .map(({address}) => `${name} ${address}`),
  );
  return [
    {
      name: 'address',
      passed: addresses.length > 0,
      detail: addresses.join(', ').slice(0, 4000) || 'No interface has an address',
    },
    await timed(async () => {
      const answer = await call(kit, '/ping', undefined, signal).catch(describeError);
      if (typeof answer === 'string') return {name: 'http', passed: false, detail: answer};
      const passed = answer.status === 200;
      return {name: 'http', passed, detail: `HTTP status ${answer.status} of the test's server`};
    }),
    await timed(() => checkResolver(kit.root, resolveName)),
  ];
}

/** Lines and tabs stay; every other control character is no text. */
const printable = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f]/g, '');
