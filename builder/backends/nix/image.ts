import {createReadStream, createWriteStream} from 'node:fs';
import {appendFile, readFile, realpath, stat} from 'node:fs/promises';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {type Tree, writeCpio} from '../../cpio.ts';
import {describeArtifact} from '../../digests.ts';
import type {BuildContext, BuiltImage, LocalArtifact} from '../backend.ts';
import {ConfigurationError} from '../configuration-error.ts';
import {checkSizes, memoryRequired} from './size-checks.ts';

/** manifest.json of the image's output folder. */
export type ImageManifest = {
  readonly toplevel: string;
  readonly kernelVersion: string;
  readonly closureBytes: number;
  readonly squashfsBytes: number;
};

export type ImageRequest = {
  /** The out-link. */
  readonly output: string;
  readonly inputKey: string;
  readonly kind: 'machine' | 'registration';
  /** Signs what the machine may fetch from its edge; undefined: it fetches nothing there. */
  readonly cachePublicKey: string | undefined;
  /** Of the machine; 0 when it is not known. */
  readonly memoryBytes: number;
};

const initrdAlignmentBytes = 4;
/** The kernel takes 2048 bytes, and initrd names and the firmware's own words need room beside ours. */
const commandLineLengthMax = 1800;

/** Makes artifacts of what Nix built. Kernel and initrd stay where they are in the store when their length allows it. */
export async function collectImage(
  request: ImageRequest,
  directory: string,
  {signal, log}: BuildContext,
): Promise<{readonly image: BuiltImage; readonly manifest: ImageManifest}> {
  const output = await realpath(request.output);
  const manifest = parseManifest(await readFile(path.join(output, 'manifest.json'), 'utf8'));
  const {size: initrdBytes} = await stat(path.join(output, 'initrd'));
  const sizes = {
    initrdBytes,
    squashfsBytes: manifest.squashfsBytes,
    memoryBytes: request.memoryBytes,
  };
  const {problems, warnings} = checkSizes(sizes);
  if (problems.length > 0) throw new ConfigurationError(problems);
  for (const warning of warnings) log(`warning: ${warning}`);

  const kernel = await describeArtifact('kernel', path.join(output, 'kernel'));
  const initrd = await describeInitrd(path.join(output, 'initrd'), directory, signal);
  const name = await describeName(request, directory);
  log(`Linux ${manifest.kernelVersion}, ${manifest.closureBytes} bytes of system`);
  return {
    manifest,
    image: {
      kernel,
      initrds: [initrd, name],
      layers: [],
      commandLine: parseCommandLine(await readFile(path.join(output, 'command-line'), 'utf8')),
      memoryRequiredBytes: memoryRequired(sizes),
      bootTestSha256s: [kernel.sha256, initrd.sha256],
    },
  };
}

/** A further initrd must begin at a multiple of 4 (docs/boot.md). */
async function describeInitrd(
  source: string,
  directory: string,
  signal: AbortSignal,
): Promise<LocalArtifact> {
  const {size} = await stat(source);
  const missing = (initrdAlignmentBytes - (size % initrdAlignmentBytes)) % initrdAlignmentBytes;
  if (missing === 0) return describeArtifact('initrd', source);
  const padded = path.join(directory, 'initrd');
  await pipeline(
    createReadStream(source, {highWaterMark: 1024 * 1024}),
    createWriteStream(padded),
    {
      signal,
    },
  );
  await appendFile(padded, Buffer.alloc(missing));
  return describeArtifact('initrd', padded);
}

/** What the agent tells about the image. Its input key comes from the image's derivation, so it cannot be inside of it. */
async function describeName(
  {inputKey, kind, cachePublicKey}: ImageRequest,
  directory: string,
): Promise<LocalArtifact> {
  const description = {
    input_key: inputKey,
    kind,
    backend: 'nix',
    ...(cachePublicKey === undefined ? {} : {nix_cache: {public_key: cachePublicKey}}),
  };
  const tree: Tree = new Map([
    [
      'muster/image.json',
      {type: 'file', mode: 0o444, content: Buffer.from(`${JSON.stringify(description)}\n`)},
    ],
  ]);
  const file = path.join(directory, 'image.cpio');
  await pipeline(writeCpio(tree, 0), createWriteStream(file));
  return describeArtifact('image.cpio', file);
}

function parseCommandLine(text: string): string {
  const line = text.trim();
  if (!/^init=\/[\x20-\x7e]*$/.test(line))
    throw new Error(
      `The flake of this builder gives a command line that names no init: "${line.slice(0, 200)}"`,
    );
  if (line.length > commandLineLengthMax)
    throw new Error(
      `Cannot build this configuration: the command line has ${line.length} characters, at most ${commandLineLengthMax} are possible; give fewer kernel parameters`,
    );
  return line;
}

function parseManifest(text: string): ImageManifest {
  const value = JSON.parse(text) as Partial<Record<keyof ImageManifest, unknown>>;
  return {
    toplevel: typeof value.toplevel === 'string' ? value.toplevel : '',
    kernelVersion: typeof value.kernelVersion === 'string' ? value.kernelVersion : 'unknown',
    closureBytes: Number(value.closureBytes ?? 0),
    squashfsBytes: Number(value.squashfsBytes ?? 0),
  };
}
