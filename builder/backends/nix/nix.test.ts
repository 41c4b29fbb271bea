import {chmod, mkdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {
  Diagnostic_Kind,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {LocalArtifact} from '../backend.ts';
import {ConfigurationError} from '../configuration-error.ts';
import {buildImage} from '../../jobs/build-image.ts';
import {sha256OfText} from '../../digests.ts';
import {createNixBackend} from './nix.ts';
import {createNixStore} from './store.ts';
import {recordContext, specOf, startNixLab} from './testing/nix-lab.ts';

test('a module becomes an image: kernel, ramdisk, its name, a command line', async t => {
  await using lab = await startNixLab();
  t.is(await lab.backend.findMissing(), undefined);
  const context = recordContext();
  const plan = await lab.backend.plan(
    specOf('{...}: { networking.hostName = "m1"; boot.kernelParams = ["quiet"]; }'),
    context,
  );
  t.regex(plan.inputKey, /^[0-9a-f]{64}$/);
  const image = await plan.build(await lab.artifacts(), context);

  t.deepEqual(
    context.steps,
    lab.backend.steps.map(({name}) => name),
  );
  t.regex(image.commandLine, new RegExp(`^init=${lab.directory}/nix/store/.*/init quiet$`));
  t.deepEqual(
    image.initrds.map(({name}) => name),
    ['initrd', 'image.cpio'],
  );
  for (const {sizeBytes} of image.initrds) t.is(sizeBytes % 4, 0);
  const named = await readFile(image.initrds[1]?.path ?? '', 'utf8');
  t.true(named.includes(`{"input_key":"${plan.inputKey}","kind":"machine","backend":"nix"}`));
  t.deepEqual(image.bootTestSha256s, [image.kernel.sha256, image.initrds[0]?.sha256]);
});

test('the flake offers the registration image too', async t => {
  await using lab = await startNixLab();
  const context = recordContext();
  const spec = specOf('', {kind: Image_Kind.REGISTRATION, machineId: ''});
  const plan = await lab.backend.plan(spec, context);
  const image = await plan.build(await lab.artifacts(), context);
  const named = await readFile(image.initrds[1]?.path ?? '', 'utf8');
  t.true(named.includes('"kind":"registration"'));
});

test('the builder uploads what Nix built, and builds it only once', async t => {
  await using lab = await startNixLab();
  const uploaded: string[] = [];
  const known = new Map<string, string>();
  const deps = {
    builds: {
      findImage: async ({inputKey = ''}: {inputKey?: string}) =>
        known.has(inputKey) ? {image: {inputKey}} : {},
      findBootTests: async () => ({bootTests: []}),
    } as never,
    backends: [lab.backend],
    imageStore: {
      upload: async ({name}: LocalArtifact) => void uploaded.push(name),
    },
    storePaths: {} as never,
    bootTests: {firmwares: [], accelerator: 'tcg', timeLimitSeconds: 60} as const,
  };
  const directory = path.join(lab.directory, 'work');
  const spec = specOf('{...}: { networking.hostName = "m1"; }');
  const first = await buildImage(deps, spec, {directory, context: recordContext()});
  t.is(first.outcome, FinishBuildRequest_Outcome.SUCCEEDED, first.error);
  t.deepEqual(uploaded, ['kernel', 'initrd', 'image.cpio']);
  t.like(first.image, {backend: 'nix', kind: Image_Kind.MACHINE});

  known.set(first.image?.inputKey ?? '', '');
  const again = await buildImage(deps, spec, {directory, context: recordContext()});
  t.true(again.cached);
  t.is(uploaded.length, 3);

  const secret = specOf(`{...}: { x = "${['-----BEGIN EC', 'PRIVATE KEY-----'].join(' ')}"; }`);
  const refused = await buildImage(deps, secret, {directory, context: recordContext()});
  t.is(refused.outcome, FinishBuildRequest_Outcome.FAILED);
  t.like(refused.diagnostics?.[0], {kind: Diagnostic_Kind.SECRET});
});

test('a machine without a configuration cannot be built', async t => {
  await using lab = await startNixLab();
  await t.throwsAsync(lab.backend.plan(specOf(''), recordContext()), {
    message: /neither nixos_config nor templates/,
  });
});

test('what is missing is named', async t => {
  await using lab = await startNixLab();
  const missingWith = async (more: Parameters<typeof startNixLab>[0]) => {
    await using other = await startNixLab(more);
    return (await other.backend.findMissing()) ?? '';
  };
  t.regex(await missingWith({flake: '/nowhere'}), /no "\/nowhere\/flake\.nix" \(setting NIX_FLAKE/);
  t.regex(await missingWith({nixpkgs: 'path:/nowhere'}), /no nixpkgs at "\/nowhere"/);

  const programDirectory = path.join(lab.directory, 'programs');
  await mkdir(programDirectory);
  const fake = async (text: string) => {
    await writeFile(path.join(programDirectory, 'nix'), `#!/bin/sh\n${text}\n`);
    await chmod(path.join(programDirectory, 'nix'), 0o755);
    return missingWith({programDirectory});
  };
  t.regex(await fake('echo "nix (Nix) 2.7.0"'), /this is Nix 2\.7, at least 2\.8 is needed/);
  t.regex(await fake('exit 127'), /there is no program "nix"; install Nix 2\.8 or later/);
  t.regex(
    await fake(
      'case $1 in --version) echo "nix (Nix) 2.9.0";; *) echo "no flakes" >&2; exit 1;; esac',
    ),
    /Nix does not work here \(.*no flakes/,
  );
});

test('without nixpkgs a build says where it was looked for', async t => {
  await using lab = await startNixLab({nixpkgs: 'path:/nowhere'});
  const error = await t.throwsAsync(lab.backend.plan(specOf('{...}: {}'), recordContext()), {
    instanceOf: ConfigurationError,
  });
  t.like(error?.diagnostics[0], {kind: Diagnostic_Kind.FETCH});
  t.regex(error?.message ?? '', /Cannot fetch nixpkgs from "path:\/nowhere" \(setting NIX_NIXPKGS/);
});

test('nixpkgs stays what it was when it was first used', async t => {
  await using lab = await startNixLab();
  const {signal} = new AbortController();
  const tree = path.join(lab.directory, 'nixpkgs');
  const write = (revision: string) =>
    writeFile(
      path.join(tree, 'flake.nix'),
      `{ outputs = {self}: { revision = "${revision}"; }; }\n`,
    );
  await mkdir(tree);
  await write('one');
  const settings = {nixpkgs: `path:${tree}`, storeDirectory: lab.settings.storeDirectory};
  await using first = await startNixLab(settings);
  const pins = await first.store.pins(signal);
  await write('two');
  t.deepEqual((await first.store.pins(signal)).nixpkgs, pins.nixpkgs);
  // Also in another process, which finds it on disk.
  t.deepEqual((await createNixStore(first.settings).pins(signal)).nixpkgs, pins.nixpkgs);
  await using second = await startNixLab(settings);
  t.not((await second.store.pins(signal)).nixpkgs.path, pins.nixpkgs.path);
});

test('a pinned commit is taken from the store, without a network', async t => {
  await using lab = await startNixLab();
  const {signal} = new AbortController();
  const {nixpkgs: pin} = await lab.store.pins(signal);
  const nixpkgs = 'github:NixOS/nixpkgs/nixos-26.05';
  const settings = {...lab.settings, nixpkgs};
  const name = `nixpkgs-${sha256OfText(nixpkgs).slice(0, 16)}.json`;
  const rev = '0123456789012345678901234567890123456789';
  const github = {owner: 'NixOS', repo: 'nixpkgs'};
  await writeFile(
    path.join(settings.stateDirectory, name),
    JSON.stringify({...pin, rev, github, lastModified: 1_790_000_000}),
  );
  const found = await createNixBackend(settings).validate?.(specOf('{...}: {}'), recordContext());
  t.deepEqual(found, []);
});
