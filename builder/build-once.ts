// Builds a registration image without server and queue: `node builder/build-once.ts virtual|full DIRECTORY` writes vmlinuz, initrd.zst and
// image.json there. For development and for tests that need an image to boot.
import {mkdir, mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {BuildSpecSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind, Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {oneOf} from '@muster/runtime/config.ts';
import {createLogger} from '@muster/runtime/log.ts';
import {createDebianBackend} from './backends/debian/debian.ts';
import {openCache} from './cache.ts';
import {cacheEntriesMax, type Config, loadConfig, programEnvironment} from './config.ts';

/** @param directory is made when missing; files of the same names in it are replaced. */
export async function buildOnce(
  config: Config,
  spec: MessageInitShape<typeof BuildSpecSchema>,
  {directory, signal, log}: {directory: string; signal: AbortSignal; log: (line: string) => void},
): Promise<void> {
  const backend = createDebianBackend({
    cache: await openCache(path.join(config.stateDirectory, 'cache'), cacheEntriesMax),
    aptDirectory: path.join(config.stateDirectory, 'apt'),
    nodeBinary: config.nodeBinary,
    agentBundle: config.agentBundle,
    env: programEnvironment(config),
  });
  const missing = await backend.findMissing();
  if (missing) throw new Error(missing);

  await mkdir(directory, {recursive: true});
  const work = await mkdtemp(path.join(directory, '.work-'));
  try {
    const context = {
      signal,
      log,
      step: (step: string) => log(`Step ${step}`),
      progress: () => undefined,
    };
    const plan = await backend.plan(create(BuildSpecSchema, spec), context);
    const image = await plan.build(work, context);
    for (const artifact of [image.kernel, ...image.initrds])
      await rename(artifact.path, path.join(directory, artifact.name));
    await writeFile(
      path.join(directory, 'image.json'),
      `${JSON.stringify({inputKey: plan.inputKey, ...image}, undefined, 2)}\n`,
    );
  } finally {
    await rm(work, {recursive: true, force: true});
  }
}

if (import.meta.main) {
  const log = createLogger('builder');
  const [variant = '', directory = ''] = process.argv.slice(2);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const chosen = oneOf('virtual', 'full')(variant);
  if (directory === '')
    throw new Error('Name the directory for the image: build-once.ts virtual DIRECTORY');
  await buildOnce(
    loadConfig(),
    {
      kind: Image_Kind.REGISTRATION,
      variant: chosen === 'full' ? Image_Variant.FULL : Image_Variant.VIRTUAL,
    },
    {directory: path.resolve(directory), signal: stop.signal, log: line => log.info(line)},
  );
}
