import {execFile} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {isFatalLine, stageOfLine} from '../builder/boot-tests/stages.ts';
import {nixFolder, startNix} from './testing/nix.ts';

const run = promisify(execFile);
const timeLimitMs = 20_000;

/** What the module adds to stage 1: the shell text for scripted and for systemd stage 1; undefined where it adds nothing. */
async function stage1(kind: 'scripted' | 'systemd' | 'scripted only'): Promise<{
  readonly scripted?: string;
  readonly systemd?: {readonly script: string; readonly requiredBy: readonly string[]};
}> {
  using nix = startNix();
  const found = await nix.evaluate(`
    let
      lib = import ${nixFolder}/testing/lib.nix;
      systemd = ${kind === 'scripted only' ? '{ }' : '{ systemd = { }; }'};
      module = import ${nixFolder}/modules/stage-1.nix {
        inherit lib;
        options.boot.initrd = { preDeviceCommands = { }; } // systemd;
        config.boot.initrd.systemd.enable = ${kind === 'systemd'};
      };
      parts = map (part: part.boot.initrd) (builtins.filter (part: part ? boot) module.config.contents);
      all = builtins.foldl' (a: b: a // b) { } parts;
      scripted = all.preDeviceCommands or { condition = false; };
      service = (all.systemd or { services.muster-boot-files.condition = false; }).services.muster-boot-files;
    in
      lib.optionalAttrs scripted.condition { scripted = scripted.content.content; }
      // lib.optionalAttrs service.condition { systemd = service.content; }`);
  return found as Awaited<ReturnType<typeof stage1>>;
}

test('exactly one stage 1 is served', async t => {
  t.deepEqual(Object.keys(await stage1('scripted')), ['scripted']);
  t.deepEqual(Object.keys(await stage1('systemd')), ['systemd']);
  t.deepEqual(Object.keys(await stage1('scripted only')), ['scripted']);
  t.deepEqual((await stage1('systemd')).systemd?.requiredBy, ['initrd.target']);
});

/** Runs the text as stage 1 would, with a folder in place of the root; reboots and waits only say so. */
async function boot(
  t: ExecutionContext,
  script: string,
  shell: readonly [string, ...string[]],
  files: Readonly<Record<string, string>>,
) {
  const root = mkdtempSync(join(tmpdir(), 'muster-stage-1-'));
  t.teardown(() => rmSync(root, {recursive: true}));
  for (const folder of ['muster', 'run', 'dev']) mkdirSync(join(root, folder));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(root, 'muster', name), content);
  const console = join(root, 'dev/console');
  writeFileSync(console, '');
  const text = script
    .replaceAll('"/muster/', `"${root}/muster/`)
    .replaceAll('/run/muster', `${root}/run/muster`)
    .replaceAll('>/dev/console', `>>${console}`)
    .replace('export PATH=/bin:/sbin', '');
  const [program, ...args] = shell;
  const stubs =
    'sleep() { :; }; reboot() { echo "REBOOT $*"; exit 3; }; systemctl() { echo "REBOOT $*"; exit 3; };';
  const ended = await run(program, [...args, '-c', `${stubs}\n${text}\necho STAGE-2`], {
    timeout: timeLimitMs,
    env: {PATH: '/usr/bin:/bin'},
  }).catch((error: {readonly stdout: string}) => error);
  return {root, out: ended.stdout, lines: readFileSync(console, 'utf8').trim().split('\n')};
}

const kinds = [
  ['scripted', ['busybox', 'sh']],
  ['systemd', ['bash', '-e']],
] as const;
const both = {'boot.json': '{"session":"s","token":"t"}\n', 'image.json': '{"input_key":"k"}\n'};

for (const [kind, shell] of kinds) {
  const scriptOf = async () => {
    const found = await stage1(kind);
    return found.scripted ?? found.systemd?.script ?? '';
  };

  test(`${kind}: boot.json and image.json reach /run/muster`, async t => {
    const {root, out, lines} = await boot(t, await scriptOf(), shell, both);
    t.is(out, 'STAGE-2\n');
    t.deepEqual(
      lines.map(line => stageOfLine(line)),
      ['init running'],
    );
    for (const [name, mode] of [
      ['boot.json', 0o400],
      ['image.json', 0o444],
    ] as const) {
      const path = join(root, 'run/muster', name);
      t.is(readFileSync(path, 'utf8'), both[name]);
      t.is(statSync(path).mode & 0o777, mode);
      t.throws(() => statSync(join(root, 'muster', name)), {code: 'ENOENT'});
    }
  });

  for (const missing of ['boot.json', 'image.json'] as const)
    test(`${kind}: without ${missing} the machine says why and boots again`, async t => {
      const files = Object.fromEntries(Object.entries(both).filter(([name]) => name !== missing));
      const {out, lines} = await boot(t, await scriptOf(), shell, files);
      t.regex(out, /^REBOOT /);
      t.false(out.includes('STAGE-2'));
      t.true(isFatalLine(lines[1] ?? ''), lines.join('\n'));
      t.regex(lines[1] ?? '', new RegExp(`MUSTER error: ${missing} is missing`));
    });
}
