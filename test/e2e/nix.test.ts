import {Code, ConnectError} from '@connectrpc/connect';
import {
  BuildService,
  Diagnostic_Kind as Kind,
  ValidateConfigResponse_Phase as Phase,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {TemplateService} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import test from 'ava';
import type {Muster} from '../helpers/muster.ts';
import {startNixMuster} from '../helpers/nix-muster.ts';
import {until} from '../helpers/processes.ts';

const buildLimitMs = 90_000;

const stack = new AsyncDisposableStack();
let muster: Muster;
test.before(async () => {
  ({muster} = stack.use(await startNixMuster()));
});
test.after.always(async () => {
  await stack.disposeAsync();
});

const option = (line: string): string => `{config, lib, ...}: {\n  ${line}\n}\n`;

type Found = {readonly kind: Kind; readonly line?: number; readonly column?: number};

/** What an operator may get wrong, and what is said about it: by the syntax check at once, else by a builder's evaluation. */
const bad: Readonly<Record<string, readonly [module: string, found: Found]>> = {
  'a missing value': [option('a = ;'), {kind: Kind.SYNTAX, line: 2, column: 7}],
  'an open brace': ['{ a = {', {kind: Kind.SYNTAX, line: 1, column: 8}],
  'an undefined variable': [
    option('networking.hostName = hostname;'),
    {kind: Kind.UNDEFINED_VARIABLE, line: 2, column: 25},
  ],
  'a misspelt option': [
    option('services.demo.prot = 80;'),
    {kind: Kind.UNKNOWN_OPTION, line: 2, column: 3},
  ],
  'a wrong type': [option('services.demo.enable = "yes";'), {kind: Kind.TYPE, line: 2, column: 3}],
  'a conflict': [
    option('imports = [ {networking.hostName = "a";} {networking.hostName = "b";} ];'),
    {kind: Kind.CONFLICT},
  ],
  'an assertion': [
    option('assertions = [ { assertion = false; message = "no"; } ];'),
    {kind: Kind.ASSERTION},
  ],
  'a value that needs itself': [
    option('networking.hostName = config.networking.hostName + "x";'),
    {kind: Kind.INFINITE_RECURSION, line: 2, column: 3},
  ],
  'a function without an end': [
    option('services.demo.port = let f = n: 1 + f (n + 1); in f 0;'),
    {kind: Kind.INFINITE_RECURSION},
  ],
  'a missing attribute': [
    option('networking.hostName = config.networking.hostname;'),
    {kind: Kind.MISSING_ATTRIBUTE, line: 2, column: 25},
  ],
  'a throw': [option('networking.hostName = throw "no";'), {kind: Kind.THROWN, line: 2}],
  'a file of the builder': [
    option('networking.hostName = builtins.readFile /etc/hostname;'),
    {kind: Kind.FILE_ACCESS, line: 2, column: 25},
  ],
  'a download': [
    option('networking.hostName = builtins.readFile (builtins.fetchurl "http://127.0.0.1:9/x");'),
    {kind: Kind.NETWORK_ACCESS},
  ],
  'a build while evaluating': [
    option(
      'networking.hostName = builtins.readFile (derivation {name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; args = ["-c" "echo a > $out"];});',
    ),
    {kind: Kind.IMPORT_FROM_DERIVATION},
  ],
  'a text without an end': [
    option(
      'networking.hostName = builtins.foldl\' (a: b: a + a) "xxxx" (builtins.genList (x: x) 60);',
    ),
    {kind: Kind.MEMORY_LIMIT},
  ],
  'work without an end': [
    option(
      'networking.hostName = builtins.seq (builtins.foldl\' (a: b: builtins.seq (builtins.length (builtins.genList (x: x) 100000)) a) 0 (builtins.genList (x: x) 1000000)) "x";',
    ),
    {kind: Kind.TIME_LIMIT},
  ],
  'a private key': [
    option(
      // Put together so that no scanner takes this file for a leak.
      `environment.etc.key = "${['-----BEGIN OPENSSH', 'PRIVATE KEY-----'].join(' ')}";`,
    ),
    {kind: Kind.SECRET},
  ],
};

/** Without a builder, in milliseconds. */
const seenAtOnce: ReadonlySet<Kind> = new Set([Kind.SYNTAX, Kind.SECRET]);

async function validate(nixosConfig: string) {
  const answers = muster.client(BuildService).validateConfig({nixosConfig});
  return Array.fromAsync(answers);
}

for (const [what, [module, found]] of Object.entries(bad))
  test.serial(`refused through the API: ${what}`, async t => {
    const answers = await validate(module);
    const diagnostics = answers.flatMap(answer => answer.diagnostics);
    t.like(diagnostics[0], found, JSON.stringify(diagnostics, undefined, 2));
    const last = answers.at(-1);
    t.is(last?.phase, seenAtOnce.has(found.kind) ? Phase.SYNTAX : Phase.EVALUATION);
    t.not(diagnostics[0]?.message, '');
  });

test.serial('after all of them the builder finds a good configuration good', async t => {
  const answers = await validate(option('networking.hostName = "web";'));
  t.deepEqual(
    answers.map(({phase, diagnostics}) => [phase, diagnostics.length]),
    [
      [Phase.SYNTAX, 0],
      [Phase.EVALUATION, 0],
    ],
  );
  t.true(muster.builder.alive());
});

test.serial('a build of a bad configuration fails with the place, and templates count', async t => {
  const machines = muster.client(MachineService);
  const builds = muster.client(BuildService);
  await muster.client(TemplateService).createTemplate({
    template: {
      name: 'demo',
      nixosModule: '{port, ...}: {...}: {\n  services.demo.prot = port;\n}\n',
      parameters: [{name: 'port', type: 2, description: 'Where it listens'}],
    },
  });
  const {machine} = await machines.createMachine({
    machine: {serviceTag: 'NIX-1', templates: [{name: 'demo', parameters: {port: 80}}]},
  });
  const machineId = machine?.id ?? '';
  const {build} = await builds.createBuild({machineId});
  const ended = await until(
    'the end of the build',
    async () => {
      const {build: now} = await builds.getBuild({id: build?.id ?? ''});
      return (now?.operation?.state ?? 0) >= Operation_State.SUCCEEDED && now;
    },
    buildLimitMs,
  );
  t.is(ended.operation?.state, Operation_State.FAILED);
  t.like(ended.diagnostics[0], {
    kind: Kind.UNKNOWN_OPTION,
    source: 'templates/demo',
    line: 2,
    column: 3,
  });
  const missing = await t.throwsAsync(
    machines.updateMachine({
      machine: {id: machineId, templates: [{name: 'demo'}]},
      updateMask: {paths: ['templates']},
    }),
  );
  t.is(ConnectError.from(missing).code, Code.InvalidArgument);
});
