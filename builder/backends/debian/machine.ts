import {copyFile} from 'node:fs/promises';
import path from 'node:path';
import type {ImageConfig} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {describeArtifact, digestOf, sha256OfFile} from '../../digests.ts';
import type {BuildContext, BuildPlan, BuiltImage, LocalArtifact} from '../backend.ts';
import {buildAgentLayer, ownFileDigests} from './agent-layer.ts';
import type {ResolvedPackage} from './apt.ts';
import {baseLayerKey, basePackages, buildBaseLayer, sshPackage} from './base-layer.ts';
import type {Tree} from '../../cpio.ts';
import type {DebianDeps} from './deps.ts';
import {digestImageFiles, imageFileEntry} from './files.ts';
import {firmwareTree, resolveFirmware} from './firmware.ts';
import {formatVersion, sourceDateEpoch} from './format.ts';
import {writeSegment} from './initrd.ts';
import {type Kernel, type KernelVariant, resolveKernel, unpackKernel} from './kernel.ts';
import {buildKernelLayer} from './kernel-layer.ts';
import {type MachineConfig, parseMachineConfig} from './machine-config.ts';
import {machineTree} from './machine-layer.ts';
import {moduleSelection, moduleTree} from './modules.ts';
import {unpackPackages, versionLine} from './packages.ts';
import {baseScripts, baseTree} from './root-tree.ts';
import {writeTreeLayer} from './squashfs.ts';

/** Login prompts appear on the consoles, but no account has a password: people come by SSH key. */
const commandLineStart = 'console=tty0 console=ttyS0,115200n8 panic=30 loglevel=5';
/** The kernel takes 2048 bytes, and initrd names and the firmware's own words need room beside ours. */
const commandLineLengthMax = 1800;

type Inputs = {
  readonly variant: KernelVariant;
  readonly config: MachineConfig;
  readonly kernel: ResolvedPackage;
  readonly firmware: readonly ResolvedPackage[];
  readonly busybox: readonly ResolvedPackage[];
  readonly packages: readonly ResolvedPackage[];
  readonly inputKey: string;
};

/** The system of one machine: kernel, a small initrd that fetches, and squashfs layers for base, kernel modules, agent and machine. */
export async function planMachine(
  deps: DebianDeps,
  request: {readonly variant: KernelVariant; readonly config: ImageConfig},
  context: BuildContext,
): Promise<BuildPlan> {
  const {signal, log} = context;
  context.step('resolve');
  const {variant} = request;
  const config = parseMachineConfig(request.config);
  await deps.apt.update(signal, log);
  const kernel = await resolveKernel(deps.apt, variant, signal);
  const firmware = variant === 'full' ? await resolveFirmware(deps.apt, context) : [];
  const busybox = await deps.apt.resolve(['busybox-static'], signal);
  const ssh = config.sshAuthorizedKeys.length > 0 ? [sshPackage] : [];
  const packages = await deps.apt.resolve([...basePackages, ...ssh, ...config.packages], signal);
  log(`${packages.length} packages in the base, kernel ${versionLine(kernel)}`);

  const inputKey = digestOf({
    format: formatVersion,
    kind: 'machine',
    variant,
    config,
    kernel: versionLine(kernel),
    firmware: firmware.map(versionLine),
    busybox: busybox.map(versionLine),
    base: baseLayerKey(packages),
    modules: moduleSelection(variant, 'machine'),
    node: await sha256OfFile(deps.nodeBinary),
    agent: await sha256OfFile(deps.agentBundle),
    files: await ownFileDigests(),
    scripts: await digestImageFiles(['machine-init.sh', ...baseScripts]),
    commandLineStart,
    sourceDateEpoch,
  });
  const inputs: Inputs = {variant, config, kernel, firmware, busybox, packages, inputKey};
  return {inputKey, build: (directory, during) => build(deps, inputs, directory, during)};
}

async function build(
  deps: DebianDeps,
  inputs: Inputs,
  directory: string,
  context: BuildContext,
): Promise<BuiltImage> {
  const {apt, cache} = deps;
  const {signal} = context;
  context.step('base');
  const base = await buildBaseLayer(apt, cache, inputs.packages, context);

  context.step('kernel');
  const kernel = await unpackKernel(apt, cache, inputs.kernel, signal);
  const kernelLayer = await buildKernelLayer(
    deps,
    {kernel, kernelPackage: inputs.kernel, firmware: inputs.firmware},
    signal,
  );
  const initrd = path.join(directory, 'initrd.zst');
  await writeSegment(await initrdTree(deps, inputs, kernel, context), initrd, signal);

  context.step('layers');
  const vmlinuz = path.join(directory, 'vmlinuz');
  await copyFile(kernel.vmlinuz, vmlinuz);
  const machine = path.join(directory, 'machine.squashfs');
  await writeTreeLayer(machineTree(inputs.config, inputs.inputKey), machine, signal);
  const shared = [
    await describeArtifact('vmlinuz', vmlinuz),
    await describeArtifact('initrd.zst', initrd),
    await describeArtifact('base.squashfs', base),
    await describeArtifact('kernel.squashfs', kernelLayer),
    await describeArtifact('agent.squashfs', await buildAgentLayer(deps, signal)),
  ] as const;
  const [kernelFile, initrdFile, ...layers] = shared;
  const machineLayer = await describeArtifact('machine.squashfs', machine);
  // A host name and keys cannot keep a machine from booting; files can.
  const tested = inputs.config.files.length > 0 ? [...shared, machineLayer] : shared;
  return describeImage(inputs, {
    kernel: kernelFile,
    initrds: [initrdFile],
    layers: [...layers, machineLayer],
    bootTestSha256s: tested.map(({sha256}) => sha256),
  });
}

function describeImage(
  {variant, config}: Inputs,
  parts: Pick<BuiltImage, 'kernel' | 'initrds' | 'layers' | 'bootTestSha256s'>,
): BuiltImage {
  const named = parts.layers.map(({sha256, name}) => `${sha256}/${name}`).join(',');
  const commandLine = [commandLineStart, `muster.layers=${named}`, ...config.kernelArguments].join(
    ' ',
  );
  if (commandLine.length > commandLineLengthMax)
    throw new Error(
      `Cannot build this configuration: the command line has ${commandLine.length} characters, at most ${commandLineLengthMax} are possible; give fewer kernel arguments`,
    );
  return {...parts, commandLine, memoryRequiredBytes: memoryRequired(variant, parts.layers)};
}

const megabyte = 1024 * 1024;

/** Layers lie in memory, and the running system wants some for itself. In steps of 64 MiB. */
function memoryRequired(variant: KernelVariant, layers: readonly LocalArtifact[]): number {
  const layersMegabytes = layers.reduce((sum, {sizeBytes}) => sum + sizeBytes, 0) / megabyte;
  const systemMegabytes = variant === 'full' ? 768 : 640;
  return Math.ceil((systemMegabytes + layersMegabytes * 1.25) / 64) * 64 * megabyte;
}

async function initrdTree(
  {apt, cache}: DebianDeps,
  {variant, busybox, firmware}: Inputs,
  kernel: Kernel,
  {signal, log}: BuildContext,
): Promise<Tree> {
  const tree = await baseTree(await unpackPackages(apt, cache, busybox, signal), signal);
  tree.set('init', await imageFileEntry('machine-init.sh', 0o755));
  const {tree: moduleFiles, modules} = await moduleTree(
    kernel,
    moduleSelection(variant, 'machine'),
  );
  for (const [place, entry] of moduleFiles) tree.set(place, entry);
  const unpacked = await unpackPackages(apt, cache, firmware, signal);
  const {tree: firmwareFiles} = await firmwareTree(kernel, modules, unpacked, signal);
  for (const [place, entry] of firmwareFiles) tree.set(place, entry);
  log(
    `Kernel ${kernel.release}: ${modules.length} modules in the initrd, ${firmwareFiles.size} firmware files`,
  );
  return tree;
}
