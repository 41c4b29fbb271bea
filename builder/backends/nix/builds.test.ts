import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {access, readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout} from 'node:timers/promises';
import test from 'ava';
import {Diagnostic_Kind as Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {runProgram} from '../../process.ts';
import {ConfigurationError} from '../configuration-error.ts';
import {createNixBackend} from './nix.ts';
import {listRoots} from './roots.ts';
import {
  type NixLab,
  type RecordedContext,
  recordContext,
  removeStore,
  specOf,
  startNixLab,
} from './testing/nix-lab.ts';

let lab: NixLab;
test.before(async () => {
  lab = await startNixLab({limits: {buildSeconds: 5, silenceSeconds: 3}});
});
test.after.always(() => lab[Symbol.asyncDispose]());

const machine = (hostName: string, script = ''): string =>
  `{...}: {
  networking.hostName = "${hostName}";
  build.script = ''
${script}
  '';
}
`;

async function build(module: string, context: RecordedContext, backend = lab.backend) {
  const plan = await backend.plan(specOf(module), context);
  return {inputKey: plan.inputKey, image: await plan.build(await lab.artifacts(), context)};
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

test.serial('the same inputs give the same key and are not built again', async t => {
  const first = recordContext();
  const {inputKey, image} = await build(machine('same'), first);
  t.true(first.lines.some(line => line.includes('building image-same')));
  const second = recordContext();
  const again = await build(machine('same'), second);
  t.is(again.inputKey, inputKey);
  t.deepEqual(again.image.bootTestSha256s, image.bootTestSha256s);
  t.false(second.lines.some(line => line.includes('building')));
  t.not((await build(machine('other'), recordContext())).inputKey, inputKey);
});

test.serial('progress never goes back and ends at the whole', async t => {
  const context = recordContext();
  await build(machine('progress', 'echo one; echo two'), context);
  t.deepEqual(
    context.fractions,
    context.fractions.toSorted((a, b) => a - b),
  );
  t.is(context.fractions.at(-1), 1);
  t.true(context.lines.includes('system-progress> two'));
  t.true(context.lines.includes('[1/2] system-progress: systemPhase'));
});

test.serial('a build that fails tells which part did, and its last lines', async t => {
  const error = await t.throwsAsync(
    build(machine('fails', 'echo "mkfs: something broke" >&2; exit 3'), recordContext()),
    {instanceOf: ConfigurationError},
  );
  t.is(error?.diagnostics.length, 1);
  t.like(error?.diagnostics[0], {kind: Kind.BUILD});
  t.regex(error?.message ?? '', /"system-fails" did not build: exit code 3.*something broke/);
});

test.serial('a build that takes too long is ended', async t => {
  const error = await t.throwsAsync(
    build(machine('slow', 'while true; do echo tick; sleep 0.2; done'), recordContext()),
    {instanceOf: ConfigurationError},
  );
  t.like(error?.diagnostics[0], {kind: Kind.TIME_LIMIT});
  t.regex(error?.message ?? '', /"system-slow" took longer than the limit of 5 s/);
});

test.serial('a build that says nothing is ended', async t => {
  const error = await t.throwsAsync(build(machine('silent', 'sleep 600'), recordContext()), {
    instanceOf: ConfigurationError,
  });
  t.like(error?.diagnostics[0], {kind: Kind.TIME_LIMIT});
  t.regex(error?.message ?? '', /"system-silent" wrote nothing for 3 s/);
});

test.serial('a build sees no network, also one that may fetch by its hash', async t => {
  const lines = recordContext();
  const fetcher = `{...}: {
  networking.hostName = "fetcher";
  build.inputs = [(derivation {
    name = "source";
    system = "x86_64-linux";
    builder = "/bin/sh";
    args = ["-c" "/bin/busybox grep -c : /proc/net/dev; echo interfaces; /bin/busybox wget -O $out http://127.0.0.1:9/x; echo Could not resolve host: anything; exit 1"];
    outputHashMode = "flat";
    outputHashAlgo = "sha256";
    outputHash = "${'0'.repeat(52)}";
  })];
}
`;
  const error = await t.throwsAsync(build(fetcher, lines), {instanceOf: ConfigurationError});
  const at = lines.lines.indexOf('source> interfaces');
  // The loopback only.
  t.is(lines.lines[at - 1], 'source> 1');
  t.like(error?.diagnostics[0], {kind: Kind.FETCH});
  t.regex(error?.message ?? '', /"source" is in no cache of this builder/);
});

test.serial('a build does not see the host', async t => {
  const context = recordContext();
  await build(machine('sees', 'ls -d /root /home /usr /work 2>/dev/null || echo nothing'), context);
  t.true(context.lines.includes('system-sees> nothing'));
});

test.serial('cancelling ends everything that the build had started', async t => {
  const context = recordContext();
  const marker = `marker-${process.pid}`;
  const running = build(
    machine('cancelled', `(trap "" INT TERM; sleep 611) & echo ${marker}; sleep 612`),
    context,
  );
  await context.line(new RegExp(marker));
  await until(async () => (await pidsOf(/sleep\0(611|612)/)).length === 2);
  const started = performance.now();
  context.stop.abort(new Error('enough'));
  await t.throwsAsync(running, {message: 'enough'});
  t.true(performance.now() - started < 10_000);
  t.deepEqual(await pidsOf(/sleep\0(611|612)/), []);
});

test.serial('without a sandbox a cancelled build leaves nothing behind either', async t => {
  const context = recordContext();
  const bare = createNixBackend({...lab.settings, sandbox: false});
  const running = build(
    machine('bare', '(trap "" INT TERM; sleep 613) & echo started; sleep 614'),
    context,
    bare,
  );
  await context.line(/> started/);
  await until(async () => (await pidsOf(/sleep\0(613|614)/)).length === 2);
  context.stop.abort(new Error('enough'));
  await t.throwsAsync(running, {message: 'enough'});
  t.deepEqual(await pidsOf(/sleep\0(613|614)/), []);
});

test.serial('a builder that is killed leaves no build behind', async t => {
  const child = spawn(
    process.execPath,
    [
      path.join(import.meta.dirname, 'testing/doomed-builder.ts'),
      machine('doomed', 'echo started; sleep 615'),
    ],
    {stdio: ['ignore', 'pipe', 'inherit']},
  );
  const lines: string[] = [];
  createInterface(child.stdout).on('line', line => lines.push(line));
  t.teardown(() => removeStore(lines[0] ?? ''));
  await until(async () => lines.some(line => line.endsWith('> started')));
  await until(async () => (await pidsOf(/sleep\0(615)/)).length === 1);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until(async () => (await pidsOf(/sleep\0(615)/)).length === 0);
  // Nix itself still tidies up.
  await until(async () => (await pidsOf(new RegExp(lines[0] ?? ''))).length === 0);
  t.pass();
});

test.serial('two builders build the same thing at once, once', async t => {
  const contexts = [recordContext(), recordContext()];
  const other = createNixBackend({
    ...lab.settings,
    stateDirectory: path.join(lab.directory, 'other'),
  });
  const [first, second] = await Promise.all([
    build(machine('twice', 'echo ONCE; sleep 1'), contexts[0] ?? recordContext()),
    build(machine('twice', 'echo ONCE; sleep 1'), contexts[1] ?? recordContext(), other),
  ]);
  t.is(first.inputKey, second.inputKey);
  t.deepEqual(first.image.bootTestSha256s, second.image.bootTestSha256s);
  const built = contexts.flatMap(({lines}) => lines.filter(line => line.endsWith('> ONCE')));
  t.is(built.length, 1);
});

test.serial('what is rooted survives a garbage collection, and only that', async t => {
  const known = await build(machine('known'), recordContext());
  const unknown = await build(machine('unknown'), recordContext());
  const roots = await listRoots(path.join(lab.settings.stateDirectory, 'roots'));
  t.true(roots.some(root => root.inputKey === unknown.inputKey && root.generation > 0));

  await lab.backend.prune?.(async key => key === known.inputKey, recordContext());
  t.true(await exists(known.image.kernel.path));
  t.false(await exists(unknown.image.kernel.path));
  const left = await listRoots(path.join(lab.settings.stateDirectory, 'roots'));
  t.deepEqual(
    left.map(({inputKey}) => inputKey),
    [known.inputKey],
  );
  // The inputs are still there, and another build works.
  await t.notThrowsAsync(build(machine('after'), recordContext()));
});

test.serial('a young root stays, whatever the server knows', async t => {
  const patient = createNixBackend({...lab.settings, rootAgeMinMs: 60_000});
  const {image} = await build(machine('young'), recordContext());
  await patient.prune?.(async () => false, recordContext());
  t.true(await exists(image.kernel.path));
});

test.serial('a derivation that was collected before its build is made again', async t => {
  const context = recordContext();
  const plan = await lab.backend.plan(specOf(machine('collected')), context);
  await runProgram('nix-store', ['--gc'], {
    signal: context.signal,
    env: (await lab.store.environment(context.signal)).variables,
  });
  await t.notThrowsAsync(plan.build(await lab.artifacts(), context));
});

test.serial('an image too large for the machine is refused', async t => {
  const plan = await lab.backend.plan(
    specOf(machine('large'), {facts: {memoryBytes: 256n * 1024n * 1024n}}),
    recordContext(),
  );
  const error = await t.throwsAsync(plan.build(await lab.artifacts(), recordContext()), {
    instanceOf: ConfigurationError,
  });
  t.like(error?.diagnostics[0], {kind: Kind.SIZE});
  const broken = '{...}: { build.squashfsBytes = 5000000; networking.hostName = "broken"; }';
  const halved = await t.throwsAsync(build(broken, recordContext()), {
    instanceOf: ConfigurationError,
  });
  t.regex(halved?.message ?? '', /does not hold the whole system/);
});

test.serial('templates and facts reach the image as data, whatever is in them', async t => {
  const nixosModule = `{suffix, ...}: {config, ...}: let
  inherit (config.muster) facts;
in {
  assertions = [{assertion = false; message = facts.serviceTag + suffix + toString (facts.memoryBytes + 1);}];
}
`;
  const suffix = "-${x} \"'' \\ ${builtins.readFile /etc/hostname}";
  const spec = specOf('', {
    templates: [{name: 'naming', version: 3, nixosModule, parameters: {suffix}}],
    facts: {serviceTag: 'ABC', memoryBytes: 8_589_934_592n},
  });
  const found = await lab.backend.validate?.(spec, recordContext());
  t.is(found?.[0]?.message, `ABC${suffix}8589934593`);
});

test.serial('nothing is left of the jobs', async t => {
  t.deepEqual(await readdir(path.join(lab.settings.stateDirectory, 'jobs')), []);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const started = performance.now(); !(await holds()); await setTimeout(20))
    if (performance.now() - started > 20_000) throw new Error('Waited in vain');
}

async function pidsOf(commandLine: RegExp): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (commandLine.test(text)) found.push(Number(name));
  }
  return found;
}
