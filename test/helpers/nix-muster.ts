import {cp, mkdir, mkdtemp} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {removeStore} from '@muster/builder/backends/nix/testing/nix-lab.ts';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {type Muster, startMuster} from './muster.ts';
import {until} from './processes.ts';

const testing = new URL('../../builder/backends/nix/testing', import.meta.url).pathname;

/**
 * A whole Muster whose real builder has this host's Nix with a store of its own, and the stand-in flake, which `prepare` may complete. It
 * offers no debian, and so does not begin with registration images.
 */
export async function startNixMuster(
  prepare: (flake: string) => Promise<void> = async () => undefined,
): Promise<AsyncDisposable & {readonly muster: Muster}> {
  await using stack = new AsyncDisposableStack();
  // Nix makes its store read-only, which the folder of a Muster would not survive.
  const store = stack.adopt(await mkdtemp(join(tmpdir(), 'muster-nix-')), removeStore);
  await mkdir(join(store, 'nix'));
  await cp(testing, join(store, 'testing'), {recursive: true});
  const flake = join(store, 'testing', 'flake');
  await prepare(flake);
  const muster = stack.use(
    await startMuster({
      builderEnv: {
        NIX_FLAKE: flake,
        NIX_NIXPKGS: `path:${join(store, 'testing', 'nixpkgs')}`,
        NIX_STORE_ROOT: join(store, 'nix'),
        NIX_SUBSTITUTERS: '',
        NIX_SANDBOX_PATHS: '/bin/sh=/bin/busybox,/bin/busybox',
        NIX_EVALUATION_TIME_LIMIT_SECONDS: '10',
        NIX_EVALUATION_MEMORY_BYTES_MAX: String(256 * 1024 * 1024),
        VALIDATION_SLOTS: '2',
        AGENT_BUNDLE: join(store, 'none'),
      },
    }),
  );
  muster.builder.start();
  await until('a builder that offers nix', async () => {
    const {services} = await muster.client(ServiceService).listServices({});
    return services.some(({backends}) =>
      backends.some(({name, available}) => name === 'nix' && available),
    );
  });
  // The server answers before it has the bus, and says so: like anybody, ask until it has.
  await until('an evaluation', async () => {
    await Array.fromAsync(muster.client(BuildService).validateConfig({nixosConfig: '{}'}));
    return true;
  });
  const owned = stack.move();
  return {muster, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}
