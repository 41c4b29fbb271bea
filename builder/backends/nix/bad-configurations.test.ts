import {mkdir, symlink} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type BuildSpecSchema,
  Diagnostic_Kind as Kind,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ConfigurationError} from '../configuration-error.ts';
import {evaluateJob} from './evaluate.ts';
import {writeJobFolder} from './job-folder.ts';
import {type NixLab, recordContext, specOf, startNixLab} from './testing/nix-lab.ts';

let lab: NixLab;
test.before(async () => {
  lab = await startNixLab({
    limits: {evaluationSeconds: 5, evaluationMemoryBytes: 256 * 1024 * 1024},
  });
});
test.after.always(() => lab[Symbol.asyncDispose]());

const template = {
  name: 'web',
  version: 1,
  nixosModule: '{port, ...}: {...}: {\n  services.demo.port = port;\n}\n',
  parameters: {port: 81},
};

type Place = readonly [line: number, column: number];

type Case = {
  readonly module: string;
  readonly kind: Kind;
  readonly message: RegExp;
  /** Undefined: nothing is known. */
  readonly at?: Place;
  /** Newer versions of Nix know it better. */
  readonly orAt?: Place;
  readonly source?: string;
  readonly more?: MessageInitShape<typeof BuildSpecSchema>;
};

const option = (line: string): string => `{config, lib, ...}: {\n  ${line}\n}\n`;
const url = 'http://127.0.0.1:9/x';

const cases: Readonly<Record<string, Case>> = {
  'a syntax error': {
    module: option('networking.hostName = ;'),
    kind: Kind.SYNTAX,
    message: /Syntax error: unexpected ';'/,
    at: [2, 25],
  },
  'an undefined variable': {
    module: option('networking.hostName = hostname;'),
    kind: Kind.UNDEFINED_VARIABLE,
    message: /"hostname" is not defined/,
    at: [2, 25],
  },
  'columns count characters, not bytes': {
    module: option('networking.hostName = "ä€😀" + hostname;'),
    kind: Kind.UNDEFINED_VARIABLE,
    message: /hostname/,
    at: [2, 34],
  },
  'an unknown option': {
    module: option('services.demo = {\n    # so close\n    prot = 80;\n  };'),
    kind: Kind.UNKNOWN_OPTION,
    message: /"services\.demo\.prot" does not exist.*In your module: 80/,
    at: [4, 5],
  },
  'a wrong type': {
    module: option('services.demo.enable = "yes";'),
    kind: Kind.TYPE,
    message: /"services\.demo\.enable" takes a value of type "boolean".*"yes"/,
    at: [2, 3],
  },
  'a wrong type that nobody reads': {
    module: option('services.demo.names = [ 1 ];'),
    kind: Kind.TYPE,
    message: /list of string/,
    at: [2, 3],
  },
  'two values': {
    module: option('services.demo.port = 8080;'),
    more: {templates: [template]},
    kind: Kind.CONFLICT,
    message: /two different values.*In "templates\/web": 81.*In your module: 8080/,
    at: [2, 3],
  },
  'the same attribute twice': {
    module: option('networking.hostName = "a";\n  networking.hostName = "b";'),
    kind: Kind.CONFLICT,
    message: /defined twice/,
    at: [3, 3],
  },
  'an assertion': {
    module: option('assertions = [ { assertion = false; message = "a name is needed"; } ];'),
    kind: Kind.ASSERTION,
    message: /^a name is needed$/,
  },
  'infinite recursion': {
    module: option('networking.hostName = config.networking.hostName + "x";'),
    kind: Kind.INFINITE_RECURSION,
    message: /Infinite recursion/,
    at: [2, 3],
  },
  'a function that calls itself for ever': {
    module: option('services.demo.port = let f = n: 1 + f (n + 1); in f 0;'),
    kind: Kind.INFINITE_RECURSION,
    message: /stack overflow/,
  },
  'a missing attribute': {
    module: option('networking.hostName = config.networking.hostname;'),
    kind: Kind.MISSING_ATTRIBUTE,
    message: /no "hostname" in this set/,
    at: [2, 25],
  },
  'a throw': {
    module: option('networking.hostName = throw "no name today";'),
    kind: Kind.THROWN,
    message: /^no name today$/,
    at: [2, 3],
    orAt: [2, 25],
  },
  'a value that is no text': {
    module: option('networking.hostName = "a" + 5;'),
    kind: Kind.TYPE,
    message: /cannot coerce an integer to a string/,
    at: [2, 31],
  },
  'a file of the builder': {
    module: option('networking.hostName = builtins.readFile /etc/hostname;'),
    kind: Kind.FILE_ACCESS,
    message: /cannot read "\/etc/,
    at: [2, 25],
  },
  'a path that climbs': {
    module: option(`networking.hostName = builtins.readFile ./${'../'.repeat(12)}etc/hostname;`),
    kind: Kind.FILE_ACCESS,
    message: /cannot read "\/etc/,
    at: [2, 25],
  },
  'a file that is not there': {
    module: option('imports = [ ./disks.nix ];'),
    kind: Kind.FILE_ACCESS,
    message: /no file "disks\.nix": a configuration is one module/,
  },
  'a download': {
    module: option(`networking.hostName = builtins.readFile (builtins.fetchurl "${url}");`),
    kind: Kind.NETWORK_ACCESS,
    message: /cannot fetch "http:\/\/127/,
    at: [2, 25],
    orAt: [2, 44],
  },
  'a download with a hash': {
    module: option(
      `networking.hostName = builtins.readFile (builtins.fetchurl { url = "${url}"; sha256 = "${'0'.repeat(52)}"; });`,
    ),
    kind: Kind.NETWORK_ACCESS,
    message: /cannot fetch "http:\/\/127/,
    at: [2, 25],
    orAt: [2, 44],
  },
  'import from derivation': {
    module: option(
      'networking.hostName = builtins.readFile (derivation { name = "x"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo hi > $out" ]; });',
    ),
    kind: Kind.IMPORT_FROM_DERIVATION,
    message: /import from derivation/,
    at: [2, 25],
  },
  'too much memory': {
    module: option(
      'networking.hostName = builtins.foldl\' (a: b: a + a) "xxxx" (builtins.genList (x: x) 60);',
    ),
    kind: Kind.MEMORY_LIMIT,
    message: /limit of 256 MiB/,
  },
  'too much time': {
    module: option(
      "services.demo.port = let l = builtins.genList (x: x) 1000; r = n: builtins.foldl' (a: b: builtins.foldl' (c: d: c + d - d) a l) n l; in builtins.foldl' (a: b: r a) 0 l;",
    ),
    kind: Kind.TIME_LIMIT,
    message: /limit of 5 s/,
  },
  'a private key': {
    // Put together so that no scanner takes this file for a leak.
    module: option(`environment = "${['-----BEGIN RSA', 'PRIVATE KEY-----'].join(' ')}";`),
    kind: Kind.SECRET,
    message: /module looks like it holds a PEM private key/,
  },
  'a private key as a parameter': {
    module: '',
    more: {
      templates: [{...template, parameters: {keys: [`AGE-SECRET-KEY-1${'Q'.repeat(58)}`]}}],
    },
    kind: Kind.SECRET,
    message: /Parameter "keys" of template "web" looks like it holds an age private key/,
    source: 'templates/web',
  },
  'an error in a template': {
    module: '',
    more: {
      templates: [{...template, nixosModule: '{...}: {...}: {\n  services.demo.port = prt;\n}\n'}],
    },
    kind: Kind.UNDEFINED_VARIABLE,
    message: /"prt" is not defined/,
    at: [2, 24],
    source: 'templates/web',
  },
  'a parameter of the wrong type': {
    module: '',
    more: {templates: [{...template, parameters: {port: 'ten'}}]},
    kind: Kind.TYPE,
    message: /"services\.demo\.port" takes .* In "templates\/web": "ten"/,
    at: [2, 3],
    source: 'templates/web',
  },
};

for (const [name, {module, kind, message, at, orAt, source, more}] of Object.entries(cases))
  test.serial(`refused: ${name}`, async t => {
    const context = recordContext();
    const found = (await lab.backend.validate?.(specOf(module, more), context)) ?? [];
    t.is(found.length, 1);
    t.is(found[0]?.kind, kind, found[0]?.message);
    t.regex(found[0]?.message ?? '', message);
    t.notRegex(found[0]?.message ?? '', /[0-9a-z]{32}-source/);
    t.is(found[0]?.source ?? '', source ?? '');
    const place = `${found[0]?.line ?? 0}:${found[0]?.column ?? 0}`;
    const right = [at, orAt].flatMap(known => (known ? [known.join(':')] : []));
    t.true(right.length === 0 || right.includes(place), place);
  });

test.serial('a link that leads out of the job is not followed', async t => {
  const {signal} = new AbortController();
  const pins = await lab.store.pins(signal);
  const module = option('networking.hostName = builtins.readFile ./link;');
  await using job = await writeJobFolder(path.join(lab.directory, 'jobs'), specOf(module), pins);
  await symlink('/etc/hostname', path.join(job.directory, 'link'));
  const error = await t.throwsAsync(evaluateJob(lab.store, {job, pins}, signal), {
    instanceOf: ConfigurationError,
  });
  t.like(error?.diagnostics[0], {kind: Kind.FILE_ACCESS, line: 2, column: 25});
});

test.serial('the environment of the builder is not seen', async t => {
  const module = option(
    'networking.hostName = "h" + builtins.getEnv "HOME" + builtins.getEnv "PATH";',
  );
  const {drvPath} = await evaluateWith(module);
  t.regex(drvPath, /image-h\.drv$/);
});

test.serial('after all of that the back end is well', async t => {
  t.deepEqual(
    await lab.backend.validate?.(specOf(option('services.demo.port = 8080;')), recordContext()),
    [],
  );
});

async function evaluateWith(module: string) {
  const {signal} = new AbortController();
  const pins = await lab.store.pins(signal);
  await mkdir(path.join(lab.directory, 'jobs'), {recursive: true});
  await using job = await writeJobFolder(path.join(lab.directory, 'jobs'), specOf(module), pins);
  return await evaluateJob(lab.store, {job, pins}, signal);
}
