import path from 'node:path';
import {create, type MessageInitShape} from '@bufbuild/protobuf';
import {createDebianBackend} from '@muster/builder/backends/debian/debian.ts';
import {openCache} from '@muster/builder/cache.ts';
import {loadConfig, programEnvironment} from '@muster/builder/config.ts';
import {BuildSpecSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind, Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';

const {signal} = new AbortController();

/** What tests build: the same, since its packages are kept between runs. */
export const webMachine = {
  kind: Image_Kind.MACHINE,
  variant: Image_Variant.VIRTUAL,
  imageConfig: {
    hostName: 'web-1',
    packages: ['curl'],
    sshAuthorizedKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB test'],
    files: [{path: '/etc/motd', content: 'hello\n'}],
  },
};

/** Real images of the Debian back end. Packages and layers are kept between runs, but apart from those of a builder that may run on this host. */
export async function openDebianImages(log: (line: string) => void = () => undefined) {
  const config = loadConfig();
  const kept = path.join(config.stateDirectory, 'tests');
  const backend = createDebianBackend({
    cache: await openCache(path.join(kept, 'cache'), 24),
    aptDirectory: path.join(kept, 'apt'),
    nodeBinary: config.nodeBinary,
    agentBundle: config.agentBundle,
    env: programEnvironment(config),
  });
  const missing = await backend.findMissing();
  if (missing) throw new Error(missing);
  const context = {signal, log, step: () => undefined, progress: () => undefined};
  return {
    context,
    /** Into this folder. */
    async build(spec: MessageInitShape<typeof BuildSpecSchema>, directory: string) {
      const plan = await backend.plan(create(BuildSpecSchema, spec), context);
      return {inputKey: plan.inputKey, image: await plan.build(directory, context)};
    },
  };
}
