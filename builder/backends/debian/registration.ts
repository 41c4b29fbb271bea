import {copyFile} from 'node:fs/promises';
import path from 'node:path';
import {describeArtifact, digestOf, sha256OfFile} from '../../digests.ts';
import type {BuildContext, BuildPlan, BuiltImage} from '../backend.ts';
import type {ResolvedPackage} from './apt.ts';
import type {Tree, TreeEntry} from '../../cpio.ts';
import type {DebianDeps} from './deps.ts';
import {digestImageFiles, imageFileEntry} from './files.ts';
import {firmwareTree, resolveFirmware} from './firmware.ts';
import {formatVersion, segmentLevel, sourceDateEpoch} from './format.ts';
import {joinSegments, writeSegment} from './initrd.ts';
import {type Kernel, type KernelVariant, resolveKernel, unpackKernel} from './kernel.ts';
import {moduleSelection, moduleTree} from './modules.ts';
import {nodeLibraryPackages, prepareNode} from './node-runtime.ts';
import {unpackPackages, versionLine} from './packages.ts';
import {findProgram, type Program, programTree} from './programs.ts';
import {baseScripts, baseTree} from './root-tree.ts';

/** No shell and no login on the console: whoever stands before the machine gets nothing but its messages. */
const commandLine = 'console=tty0 console=ttyS0,115200n8 panic=30 loglevel=5';

const tools: Readonly<
  Record<KernelVariant, readonly {package: string; programs: readonly string[]}[]>
> = {
  virtual: [],
  full: [
    {package: 'dmidecode', programs: ['dmidecode']},
    {package: 'ethtool', programs: ['ethtool']},
    {package: 'ipmitool', programs: ['ipmitool']},
    {package: 'pciutils', programs: ['lspci']},
    {package: 'smartmontools', programs: ['smartctl']},
    // Listens for LLDP frames. lldpd would bring 40 MB of libraries (libxml2 with ICU, net-snmp with Perl).
    {package: 'tcpdump', programs: ['tcpdump']},
  ],
};

/** Data that those programs read. */
const toolFiles: Readonly<Record<KernelVariant, readonly string[]>> = {
  virtual: [],
  full: ['usr/share/misc/pci.ids'],
};

type Inputs = {
  readonly variant: KernelVariant;
  readonly kernel: ResolvedPackage;
  readonly packages: readonly ResolvedPackage[];
  readonly firmware: readonly ResolvedPackage[];
  readonly inputKey: string;
};

/** The image that looks at a machine and tells the server: kernel and one initrd with busybox, drivers, node and the agent. */
export async function planRegistration(
  deps: DebianDeps,
  variant: KernelVariant,
  context: BuildContext,
): Promise<BuildPlan> {
  const {signal, log} = context;
  context.step('resolve');
  await deps.apt.update(signal, log);
  const kernel = await resolveKernel(deps.apt, variant, signal);
  const packages = await deps.apt.resolve(
    ['busybox-static', ...nodeLibraryPackages, ...tools[variant].map(tool => tool.package)],
    signal,
  );
  const firmware = variant === 'full' ? await resolveFirmware(deps.apt, context) : [];
  const inputKey = digestOf({
    format: formatVersion,
    kind: 'registration',
    variant,
    kernel: versionLine(kernel),
    packages: packages.map(versionLine),
    firmware: firmware.map(versionLine),
    modules: moduleSelection(variant, 'registration'),
    node: await sha256OfFile(deps.nodeBinary),
    agent: await sha256OfFile(deps.agentBundle),
    scripts: await digestImageFiles(['registration-init.sh', ...baseScripts]),
    commandLine,
    sourceDateEpoch,
  });
  const inputs: Inputs = {variant, kernel, packages, firmware, inputKey};
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
  const packages = await unpackPackages(apt, cache, inputs.packages, signal);
  const nodeSegment = await buildNodeSegment(deps, inputs, packages, signal);

  context.step('kernel');
  const kernel = await unpackKernel(apt, cache, inputs.kernel, signal);
  const systemSegment = path.join(directory, 'system.zst');
  await writeSegment(
    await systemTree(deps, inputs, {kernel, packages}, context),
    systemSegment,
    signal,
  );

  context.step('layers');
  const agentSegment = path.join(directory, 'agent.zst');
  await writeSegment(agentTree(deps, inputs), agentSegment, signal);
  const initrd = path.join(directory, 'initrd.zst');
  await joinSegments([nodeSegment, systemSegment, agentSegment], initrd, signal);
  const vmlinuz = path.join(directory, 'vmlinuz');
  await copyFile(kernel.vmlinuz, vmlinuz);

  const artifacts = {
    kernel: await describeArtifact('vmlinuz', vmlinuz),
    initrd: await describeArtifact('initrd.zst', initrd),
  };
  return {
    kernel: artifacts.kernel,
    initrds: [artifacts.initrd],
    layers: [],
    commandLine,
    memoryRequiredBytes: memoryRequiredBytes[inputs.variant],
    bootTestSha256s: [artifacts.kernel.sha256, artifacts.initrd.sha256],
  };
}

const firmwareNamesLengthMax = 3500;
const megabyte = 1024 * 1024;

/** Twice the unpacked initrd (the root file system is a tmpfs of half the memory) and what kernel and agent use. */
const memoryRequiredBytes: Readonly<Record<KernelVariant, number>> = {
  virtual: 448 * megabyte,
  full: 768 * megabyte,
};

/** Node changes seldom and is most of the bytes: its segment is compressed once. */
async function buildNodeSegment(
  {cache, nodeBinary}: DebianDeps,
  inputs: Inputs,
  packages: string,
  signal: AbortSignal,
): Promise<string> {
  const node = await prepareNode(nodeBinary, cache, signal);
  const key = digestOf({
    format: formatVersion,
    node: node.sha256,
    packages: inputs.packages.map(versionLine),
    segmentLevel,
  });
  const directory = await cache.directory('node-segments', key, async partial => {
    const tree = await programTree(packages, [{from: node.stripped, to: 'usr/bin/node'}], signal);
    await writeSegment(tree, path.join(partial, 'node.zst'), signal);
  });
  return path.join(directory, 'node.zst');
}

async function systemTree(
  {apt, cache}: DebianDeps,
  {variant, firmware}: Inputs,
  {kernel, packages}: {kernel: Kernel; packages: string},
  {signal, log}: BuildContext,
): Promise<Tree> {
  const tree = await baseTree(packages, signal);
  tree.set('init', await imageFileEntry('registration-init.sh', 0o755));

  const programs: Program[] = [];
  for (const name of tools[variant].flatMap(tool => tool.programs))
    programs.push({from: await findProgram(packages, name), to: `usr/bin/${name}`});
  for (const [place, entry] of await programTree(packages, programs, signal))
    tree.set(place, entry);
  for (const file of toolFiles[variant])
    tree.set(file, {type: 'file', mode: 0o644, source: path.join(packages, file)});
  for (const [place, text] of accounts)
    tree.set(place, {type: 'file', mode: 0o644, content: Buffer.from(text)});

  const {tree: moduleFiles, modules} = await moduleTree(
    kernel,
    moduleSelection(variant, 'registration'),
  );
  for (const [place, entry] of moduleFiles) tree.set(place, entry);
  log(`Kernel ${kernel.release} with ${modules.length} modules`);

  if (variant === 'full') {
    const root = await unpackPackages(apt, cache, firmware, signal);
    const {tree: files, missing} = await firmwareTree(kernel, modules, root, signal);
    for (const [place, entry] of files) tree.set(place, entry);
    log(
      `Firmware: ${files.size} files included, ${missing.length} named by drivers are not in the apt sources`,
    );
    if (missing.length > 0)
      log(`Firmware not included: ${missing.join(' ').slice(0, firmwareNamesLengthMax)}`);
  }
  return tree;
}

const accounts: readonly (readonly [string, string])[] = [
  ['etc/passwd', 'root:*:0:0:root:/root:/bin/false\n'],
  ['etc/group', 'root:*:0:\n'],
];

function agentTree({agentBundle}: DebianDeps, {inputKey}: Inputs): Tree {
  const description = {input_key: inputKey, kind: 'registration', backend: 'debian'};
  return new Map<string, TreeEntry>([
    ['usr/lib/muster/agent.cjs', {type: 'file', mode: 0o644, source: agentBundle}],
    [
      'etc/muster/image.json',
      {type: 'file', mode: 0o644, content: Buffer.from(`${JSON.stringify(description)}\n`)},
    ],
  ]);
}
