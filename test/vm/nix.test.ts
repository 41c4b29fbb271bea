import {copyFile, cp, mkdir, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'ava';
import {createApt} from '@muster/builder/backends/debian/apt.ts';
import {imageFileEntry} from '@muster/builder/backends/debian/files.ts';
import {writeSegment} from '@muster/builder/backends/debian/initrd.ts';
import {
  type KernelVariant,
  resolveKernel,
  unpackKernel,
} from '@muster/builder/backends/debian/kernel.ts';
import {moduleSelection, moduleTree} from '@muster/builder/backends/debian/modules.ts';
import {nodeLibraryPackages, prepareNode} from '@muster/builder/backends/debian/node-runtime.ts';
import {unpackPackages} from '@muster/builder/backends/debian/packages.ts';
import {programTree} from '@muster/builder/backends/debian/programs.ts';
import {baseTree} from '@muster/builder/backends/debian/root-tree.ts';
import {recordContext, specOf, startNixLab} from '@muster/builder/backends/nix/testing/nix-lab.ts';
import {runBootTest} from '@muster/builder/boot-tests/boot-test.ts';
import {openCache} from '@muster/builder/cache.ts';
import {loadConfig, programEnvironment} from '@muster/builder/config.ts';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Operation_State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {startNixMuster} from '../helpers/nix-muster.ts';
import {until} from '../helpers/processes.ts';

/** Build, both boot tests and publication: four times what a quiet machine needs. */
const buildLimitMs = 10 * 60_000;
const standIn = path.join(import.meta.dirname, '../../builder/backends/nix/testing/flake');
const nixosConfig = `{...}: {
  networking.hostName = "nix-1";
  boot.kernelParams = ["console=tty0" "console=ttyS0,115200n8" "panic=30" "loglevel=5"];
}`;
const {signal} = new AbortController();

/** As stage 1 of a NixOS image: the builder's own initrd has brought the name of the image, the edge's boot.json. */
const init = `#!/bin/sh
export PATH=/usr/bin
mkdir -p /etc/muster
cp /muster/image.json /etc/muster/image.json || echo "MUSTER error: image.json is missing" >/dev/console
exec /registration-init
`;

/** Kernel and ramdisk with the real agent and this Node, which the stand-in flake takes as they are: no NixOS can be built without a cache. */
async function writeParts(directory: string, variant: KernelVariant): Promise<void> {
  const config = loadConfig();
  const kept = path.join(config.stateDirectory, 'tests');
  const cache = await openCache(path.join(kept, 'cache'), 24);
  const env = programEnvironment(config);
  const apt = createApt({directory: path.join(kept, 'apt'), env});
  await apt.update(signal, () => undefined);
  const kernel = await unpackKernel(apt, cache, await resolveKernel(apt, variant, signal), signal);
  await copyFile(kernel.vmlinuz, path.join(directory, 'kernel'));

  const resolved = await apt.resolve(['busybox-static', ...nodeLibraryPackages], signal);
  const packages = await unpackPackages(apt, cache, resolved, signal);
  const node = await prepareNode(config.nodeBinary, cache, signal);
  const programs = [{from: node.stripped, to: 'usr/bin/node'}];
  const {tree: modules} = await moduleTree(kernel, moduleSelection(variant, 'registration'));
  const tree = new Map([
    ...(await baseTree(packages, signal)),
    ...(await programTree(packages, programs, signal)),
    ...modules,
    ['registration-init', await imageFileEntry('registration-init.sh', 0o755)],
    ['init', {type: 'file', mode: 0o755, content: Buffer.from(init)}],
    ['usr/lib/muster/agent.cjs', {type: 'file', mode: 0o644, source: config.agentBundle}],
  ]);
  const file = path.join(directory, 'initrd');
  await writeSegment(tree, file, signal);
}

test('an image that Nix built boots, and its agent says hello with the input key', async t => {
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-nix-vm-'));
  t.teardown(() => rm(directory, {recursive: true, force: true}));
  const flake = path.join(directory, 'flake');
  await cp(standIn, flake, {recursive: true});
  await writeParts(flake, 'virtual');

  await using lab = await startNixLab({flake});
  const context = recordContext();
  const plan = await lab.backend.plan(specOf(nixosConfig), context);
  const artifacts = path.join(directory, 'artifacts');
  await mkdir(artifacts);
  const image = await plan.build(artifacts, context);
  t.regex(image.commandLine, /^init=\/.*\/init console=tty0/);

  for (const firmware of ['bios', 'uefi'] as const) {
    const result = await runBootTest(
      {
        image,
        inputKey: plan.inputKey,
        fullDrivers: false,
        firmware,
        accelerator: 'tcg',
        timeLimitSeconds: 600,
        directory,
      },
      {signal, log: line => t.log(line)},
    );
    t.like(result, {passed: true, failure: ''}, result.consoleTail);
  }
});

test('a module given over the API becomes a tested image, and the edge serves its system', async t => {
  await using site = await startNixMuster(flake =>
    // A machine that nobody has seen is tested with the drivers of real hardware.
    writeParts(flake, 'full'),
  );
  const {muster} = site;
  const machines = muster.client(MachineService);
  const builds = muster.client(BuildService);
  const {machine} = await machines.createMachine({machine: {serviceTag: 'NIX-1', nixosConfig}});
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
  t.is(ended.operation?.state, Operation_State.SUCCEEDED, ended.operation?.error);

  const {image} = await muster.client(ImageService).getImage({id: ended.imageId});
  t.is(image?.backend, 'nix');
  t.deepEqual(
    image?.bootTests.map(({passed}) => passed),
    [true, true],
  );
  t.is((await machines.getMachine({id: machineId})).machine?.desiredImageId, ended.imageId);

  const paths = await muster.postgres.sql<{hash: string}[]>`select hash from store_paths`;
  t.true(paths.length > 0);
  for (const {hash} of paths) {
    const answer = await fetch(new URL(`/nix-cache/${hash}.narinfo`, muster.edgeUrl));
    t.regex(await answer.text(), /^Sig: /m);
  }
});
