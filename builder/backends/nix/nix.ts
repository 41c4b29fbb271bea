import {access, mkdir} from 'node:fs/promises';
import type {BuildSpec} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {digestOf} from '../../digests.ts';
import type {Backend, BuildContext, BuildPlan, BuiltImage} from '../backend.ts';
import {ConfigurationError} from '../configuration-error.ts';
import {type Evaluation, evaluate} from './evaluate.ts';
import {findMissing} from './find-missing.ts';
import {collectImage} from './image.ts';
import {type Publication, publish} from './publish.ts';
import {realise} from './realise.ts';
import {pruneRoots, rootFor} from './roots.ts';
import {lastWords, runNix} from './run-nix.ts';
import {createNixStore, type NixStore, type NixStoreSettings} from './store.ts';
import type {BinaryCache} from './binary-cache.ts';

/** Raise when the same derivation gives another image than before. */
const formatVersion = 1;

/** A build may take a day, and its image is known to the server only after it. */
const rootAgeMinMs = 2 * 24 * 3_600_000;

export type NixBackendSettings = NixStoreSettings & {
  /** Whether builds may be left to a daemon, whose fetches cannot be kept from the network. */
  readonly allowDaemon: boolean;
  readonly collectGarbage: boolean;
  /** Least age of a root that may be pruned; two days unless given. */
  readonly rootAgeMinMs?: number;
  /** Where the systems of machines are offered to them; undefined: nowhere. */
  readonly binaryCache?: BinaryCache | undefined;
  /** The largest system, packed, that is given to the server for the edges; 0 or undefined: none is. */
  readonly publishBytesMax?: number;
};

/** NixOS images from the operator's module and templates, by Nix. */
export function createNixBackend(settings: NixBackendSettings): Backend {
  const store = createNixStore(settings);

  return {
    name: 'nix',
    steps: [
      {name: 'evaluate', weight: 8},
      {name: 'fetch', weight: 10},
      {name: 'build', weight: 25},
    ],
    findMissing: () => findMissing(settings, store),

    plan: (spec, context) =>
      store.gate.use(async () => {
        context.step('evaluate');
        checkKind(spec);
        const evaluation = await evaluate(store, spec, context);
        const publication = publicationOf(settings, spec);
        const cachePublicKey = publication && spec.nixCachePublicKey;
        const inputKey = digestOf({
          format: formatVersion,
          drvPath: evaluation.drvPath,
          ...(cachePublicKey === undefined ? {} : {cachePublicKey}),
        });
        const build: BuildPlan['build'] = (directory, during) =>
          store.gate.use(() =>
            buildImage(
              {store, settings},
              {spec, evaluation, inputKey, cachePublicKey},
              directory,
              during,
            ),
          );
        return {
          inputKey,
          build,
          ...(publication && {
            publish: (depot, context) => publish(inputKey, publication, {depot, context}),
          }),
        };
      }),

    validate: (spec, context) =>
      store.gate.use(async () => {
        try {
          checkKind(spec);
          await evaluate(store, spec, context);
          return [];
        } catch (error) {
          if (error instanceof ConfigurationError) return error.diagnostics;
          throw error;
        }
      }),

    prune: (isKnown, context) =>
      store.gate.tryCollect(() => prune({store, settings}, isKnown, context)),
  };
}

/** Undefined when machines with this image are not to fetch anything from their edge. */
function publicationOf(
  {binaryCache, publishBytesMax = 0}: NixBackendSettings,
  {kind, nixCachePublicKey}: BuildSpec,
): Publication | undefined {
  const wanted = kind === Image_Kind.MACHINE && nixCachePublicKey !== '' && publishBytesMax > 0;
  return wanted && binaryCache ? {cache: binaryCache, bytesMax: publishBytesMax} : undefined;
}

async function prune(
  {store, settings}: {store: NixStore; settings: NixBackendSettings},
  isKnown: (inputKey: string) => Promise<boolean>,
  {signal, log}: Pick<BuildContext, 'signal' | 'log'>,
): Promise<void> {
  const ageMinMs = settings.rootAgeMinMs ?? rootAgeMinMs;
  const removed = await pruneRoots(store.place('roots'), {isKnown, ageMinMs});
  if (removed > 0) log(`${removed} roots of images that nobody knows any more were removed`);
  if (!settings.collectGarbage) return;
  const collect = ['nix-store', '--gc'] as const;
  const end = await runNix(await store.environment(signal), [...collect], {
    signal,
    deathSignal: 'INT',
  });
  if (end.status !== 0) throw new Error(`Cannot collect garbage: ${lastWords(end)}`);
}

function checkKind({kind, nixosConfig, templates}: BuildSpec): void {
  if (kind === Image_Kind.REGISTRATION) return;
  if (kind !== Image_Kind.MACHINE)
    throw new Error(`Cannot build an image of kind ${kind} with nix`);
  if (nixosConfig === '' && templates.length === 0)
    throw new Error('Cannot build with nix: the machine has neither nixos_config nor templates');
}

async function buildImage(
  {store, settings}: {store: NixStore; settings: NixBackendSettings},
  {
    spec,
    evaluation,
    inputKey,
    cachePublicKey,
  }: {
    spec: BuildSpec;
    evaluation: Evaluation;
    inputKey: string;
    cachePublicKey: string | undefined;
  },
  directory: string,
  context: BuildContext,
): Promise<BuiltImage> {
  const {drvPath} = evaluation;
  // Until it is built only this job knows the derivation: somebody else's garbage collection may have taken it.
  if (!(await exists(drvPath))) await evaluate(store, spec, context);
  await mkdir(store.place('roots'), {recursive: true});
  const link = await rootFor(store.place('roots'), spec.machineId, inputKey);
  await realise(store, {drvPath, link}, context);
  const {image, manifest} = await collectImage(
    {
      output: link,
      inputKey,
      kind: spec.kind === Image_Kind.REGISTRATION ? 'registration' : 'machine',
      cachePublicKey,
      memoryBytes: Number(spec.facts?.memoryBytes ?? 0n),
    },
    directory,
    context,
  );
  await settings.binaryCache?.add(manifest.toplevel, {inputKey, store, context});
  return image;
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
