import {createHash, generateKeyPairSync, randomUUID} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createClient} from '@connectrpc/connect';
import {
  BuildService,
  type BuildSpec,
  FinishBuildRequest_Outcome,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {BootTest_Firmware, ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {StorePathService} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {openFolderBlobStore} from '@muster/server/clients/blob-store.ts';
import {createBuilds} from '@muster/server/domain/builds.ts';
import {createBulks} from '@muster/server/domain/bulks.ts';
import {createBuildWork} from '@muster/server/domain/build-work.ts';
import {type LiveBuilder, offers} from '@muster/server/domain/build-rules.ts';
import {type BlobStore, hasArtifact} from '@muster/server/domain/blobs.ts';
import {createConfigurations} from '@muster/server/domain/configurations.ts';
import {createGroups} from '@muster/server/domain/groups.ts';
import {createImageCollection} from '@muster/server/domain/image-collection.ts';
import {createImages} from '@muster/server/domain/images.ts';
import {createMachineSearch} from '@muster/server/domain/machine-search.ts';
import {nixCacheKeyOf} from '@muster/server/domain/nix-cache-key.ts';
import {createOperations} from '@muster/server/domain/operations.ts';
import {createStorePaths} from '@muster/server/domain/store-paths.ts';
import {createTransitions} from '@muster/server/domain/transitions.ts';
import {
  createValidations,
  type ValidationLimits,
  validationLimits,
} from '@muster/server/domain/validations.ts';
import {DomainError} from '@muster/server/errors.ts';
import {buildService} from '@muster/server/rpc/builds.ts';
import {imageService} from '@muster/server/rpc/images.ts';
import {operationService} from '@muster/server/rpc/operations.ts';
import {storePathService} from '@muster/server/rpc/store-paths.ts';
import type {Database} from '@muster/server/store/db.ts';
import {
  findMachine,
  insertMachine,
  type MachineChange,
  type MachineState,
} from '@muster/server/store/machines.ts';
import {listenFor} from '@muster/server/store/notifications.ts';
import {createKeyedWakeUps} from '@muster/server/wake-ups.ts';
import {serveInMemory} from './in-memory.ts';

export const debianBuilder: LiveBuilder = {
  builder: 'b1',
  backends: [
    {name: 'debian', available: true, missing: ''},
    {name: 'nix', available: false, missing: 'Cannot build with nix: no nix command on this host'},
  ],
};

/** One server's builds over a database: services called in memory, as a person and as builders. Several may share a database. */
export async function createTestBuilds(
  sql: Database,
  options: {
    readonly builders?: readonly LiveBuilder[];
    readonly hasArtifact?: (sha256: string, sizeBytes: number) => Promise<boolean>;
    readonly blobs?: BlobStore;
    readonly busIsUp?: boolean;
    readonly validationLimits?: Partial<ValidationLimits>;
  } = {},
) {
  await using stack = new AsyncDisposableStack();
  let clockOffsetMs = 0;
  let builders = options.builders ?? [debianBuilder];
  const deps = {sql, now: () => new Date(Date.now() + clockOffsetMs), newId: () => uuidv7()};
  const transitions = createTransitions(deps);
  const changes = createKeyedWakeUps();
  stack.use(await listenFor(sql, 'builds', changes.notify));
  const listLiveBuilders = () => Promise.resolve(builders);
  const busStatus = () => ({connected: options.busIsUp ?? true, since: new Date(0)});
  const search = createMachineSearch({...deps, busStatus});
  const groups = createGroups({...deps, search});
  const {inherited} = createConfigurations({sql, groups});
  const builds = createBuilds({...deps, transitions, listLiveBuilders, inherited, changes});
  const work = createBuildWork({
    ...deps,
    transitions,
    hasArtifact: options.hasArtifact ?? (() => Promise.resolve(true)),
    offers: (_sql, _id, backend) => Promise.resolve(offers(backend, builders)),
    timeLimitSeconds: 3600,
  });
  const images = createImages({sql});
  const blobs =
    options.blobs ??
    (await openFolderBlobStore(
      stack.adopt(await mkdtemp(join(tmpdir(), 'muster-blobs-')), folder =>
        rm(folder, {recursive: true, force: true}),
      ),
    ));
  const collection = createImageCollection({...deps, blobs});
  const storePaths = createStorePaths({
    ...deps,
    hasArtifact: hasArtifact(blobs),
    cacheKey: nixCacheKeyOf(generateKeyPairSync('ed25519').privateKey),
  });
  const validationChanges = createKeyedWakeUps();
  stack.use(await listenFor(sql, 'validations', validationChanges.notify));
  const validations = createValidations({
    ...deps,
    getMachine: async id => {
      const machine = await findMachine(sql, id);
      if (!machine) throw new DomainError('not_found', `Cannot find machine "${id}"`);
      return machine;
    },
    listLiveBuilders,
    busStatus,
    changes: validationChanges,
    limits: {...validationLimits, ...options.validationLimits},
  });
  const cancel = async (actor: string, id: string) => void (await builds.cancel(actor, id));
  const operations = createOperations({...deps, cancel: {build: cancel}});
  const bulks = createBulks({...deps, search, groups});

  const transportOf = (name: string, serviceId?: string) =>
    serveInMemory(
      ({service}) => {
        service(BuildService, buildService({builds, work, images, validations, storePaths}));
        service(ImageService, imageService(images, collection));
        service(StorePathService, storePathService(storePaths));
        service(OperationService, operationService(operations, bulks));
      },
      () => ({
        name,
        role: serviceId ? 'builder' : 'operator',
        address: '',
        ...(serviceId ? {serviceId} : {}),
      }),
    );
  const person = transportOf('user:alice');
  const owned = stack.move();
  return {
    sql,
    deps,
    transitions,
    builds,
    work,
    validations,
    collection,
    blobs,
    images: createClient(ImageService, person),
    operations: createClient(OperationService, person),
    storePaths,
    client: createClient(BuildService, person),
    storePathBuilder: (name: string) =>
      createClient(StorePathService, transportOf(`builder:${name}`, name)),
    builder: (name: string) => createClient(BuildService, transportOf(`builder:${name}`, name)),
    /** What this server's clock says from now on. */
    passTime(ms: number) {
      clockOffsetMs += ms;
    },
    setBuilders(now: readonly LiveBuilder[]) {
      builders = now;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export async function createTestMachine(
  sql: Database,
  state: MachineState,
  change: MachineChange = {},
): Promise<string> {
  const id = randomUUID();
  const time = new Date();
  const times = {stateTime: time, createTime: time, updateTime: time};
  await insertMachine(sql, {imageConfig, serviceTag: `TAG-${id}`, ...change, ...times, id, state});
  return id;
}

export const imageConfig = {
  hostName: 'web-1',
  packages: ['nginx'],
  sshAuthorizedKeys: ['ssh-ed25519 AAAA alice'],
  files: [{path: '/etc/motd', content: 'Hello', mode: '0644'}],
  kernelArguments: ['quiet'],
};

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A finish request whose artifacts are named by `content`. */
export function succeededWith(spec: BuildSpec | undefined, content: string) {
  const artifact = (name: string, sizeBytes: bigint) => ({
    name,
    sha256: sha256(`${name} ${content}`),
    sizeBytes,
  });
  return {
    outcome: FinishBuildRequest_Outcome.SUCCEEDED,
    image: {
      kind: spec?.kind ?? 0,
      variant: spec?.variant ?? 0,
      backend: spec?.backend ?? '',
      inputKey: sha256(content),
      kernel: artifact('vmlinuz', 8_000_001n),
      initrds: [artifact('initrd.zst', 40_000_000n)],
      layers: [artifact('base.squashfs', 100_000_000n), artifact('machine.squashfs', 4096n)],
      commandLine: 'panic=30',
      memoryRequiredBytes: 1n << 29n,
      bootTests: [
        {firmware: BootTest_Firmware.BIOS, passed: true, durationMs: 20_000},
        {firmware: BootTest_Firmware.UEFI, passed: true, durationMs: 30_000},
      ],
    },
  };
}
