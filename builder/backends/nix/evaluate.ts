import {type BuildSpec, Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ConfigurationError, type DiagnosticInit} from '../configuration-error.ts';
import {diagnose} from './diagnose.ts';
import type {NixMessage} from './internal-json.ts';
import {type JobFolder, writeJobFolder} from './job-folder.ts';
import {allowedUris, type Pins} from './pins.ts';
import {lastWords, type NixEnd, runNix} from './run-nix.ts';
import {findSecrets} from './secrets.ts';
import type {NixStore} from './store.ts';

/** What an evaluation says about an image (`lib.machineImage` of our flake). */
export type Evaluation = {
  /** Equal inputs give equal derivations: this is the image's identity. */
  readonly drvPath: string;
  readonly hostName: string;
  readonly kernelParams: readonly string[];
  readonly warnings: readonly string[];
};

const megabyte = 1024 * 1024;
/** Nix maps more than it uses: code, the stack, the files that it reads. */
const addressSpaceBeyondHeapBytes = 4096 * megabyte;
const killStepMs = 1000;

/** Evaluates everything without building. Throws a ConfigurationError with all that is known to be wrong. */
export async function evaluate(
  store: NixStore,
  spec: BuildSpec,
  {signal, log}: {signal: AbortSignal; log: (line: string) => void},
): Promise<Evaluation> {
  const secrets = findSecrets(spec);
  if (secrets.length > 0) throw new ConfigurationError(secrets);
  const pins = await store.pins(signal);
  await using job = await writeJobFolder(store.place('jobs'), spec, pins);
  const evaluation = await evaluateJob(store, {job, pins}, signal);
  for (const warning of evaluation.warnings) log(`warning: ${warning}`);
  return evaluation;
}

export async function evaluateJob(
  store: NixStore,
  {job, pins}: {job: JobFolder; pins: Pins},
  signal: AbortSignal,
): Promise<Evaluation> {
  const {limits} = store.settings;
  const timeLimit = AbortSignal.timeout(limits.evaluationSeconds * 1000);
  try {
    const end = await runNix(await store.environment(signal), argumentsFor(job, pins), {
      signal: AbortSignal.any([signal, timeLimit]),
      offline: store.canIsolate,
      addressSpaceBytesMax: limits.evaluationMemoryBytes + addressSpaceBeyondHeapBytes,
      variables: {GC_MAXIMUM_HEAP_SIZE: `${limits.evaluationMemoryBytes}`},
      // It has no children, so nothing is left when it is killed; in mid-collection it obeys nothing else.
      killStepMs,
    });
    if (end.status === 0) return parseEvaluation(end.output);
    throw new ConfigurationError([explain(end, {job, pins}, limits.evaluationMemoryBytes)]);
  } catch (error) {
    signal.throwIfAborted();
    if (!timeLimit.aborted || error instanceof ConfigurationError) throw error;
    throw new ConfigurationError([
      {
        kind: Diagnostic_Kind.TIME_LIMIT,
        message: `The evaluation took longer than its limit of ${limits.evaluationSeconds} s: look for a list or a function without an end`,
      },
    ]);
  }
}

/**
 * A pure evaluation of a flake alone still fetches what has a hash and builds what is imported; only together with these options it reads
 * nothing but the job and the pinned inputs.
 */
const argumentsFor = (
  {directory, output}: JobFolder,
  pins: Pins,
): [program: string, ...args: string[]] => [
  ...(['nix', 'eval', '--json', '--show-trace', '--no-write-lock-file'] as const),
  ...['--option', 'restrict-eval', 'true'],
  ...['--option', 'allow-import-from-derivation', 'false'],
  ...['--option', 'allowed-uris', [`path:${directory}`, ...allowedUris(pins)].join(' ')],
  ...['--option', 'use-registries', 'false'],
  `path:${directory}#${output}.plan`,
];

function explain(
  end: NixEnd,
  {job, pins}: {job: JobFolder; pins: Pins},
  memoryBytesMax: number,
): DiagnosticInit {
  if (ranOutOfMemory(end))
    return {
      kind: Diagnostic_Kind.MEMORY_LIMIT,
      message: `The evaluation needs more than its limit of ${Math.round(memoryBytesMax / megabyte)} MiB of memory: look for a list or a string that grows without an end`,
    };
  const error = end.errors.at(-1) ?? messageOfTexts(end);
  return diagnose(error, {sources: job.sources, foreign: [pins.muster.path, pins.nixpkgs.path]});
}

/** Under a limit the collector may also end in a segmentation fault. */
const ranOutOfMemory = ({errors, texts, signalName}: NixEnd): boolean =>
  ['SIGSEGV', 'SIGABRT', 'SIGBUS'].includes(signalName ?? '') ||
  [...errors.map(({text}) => text), ...texts].some(text =>
    /^(?:error: )?out of memory|bad_alloc|Out of Memory! Heap size/.test(text),
  );

/** Nix 2.8 reports an overflow of the stack past its log. */
function messageOfTexts(end: NixEnd): NixMessage {
  const text = (end.texts.findLast(line => line.startsWith('error:')) ?? lastWords(end)).replace(
    /^error:\s*/,
    '',
  );
  return {action: 'message', level: 0, text, full: text, file: '', line: 0, column: 0};
}

function parseEvaluation(json: string): Evaluation {
  const value = JSON.parse(json) as Partial<Record<keyof Evaluation, unknown>>;
  if (typeof value.drvPath !== 'string' || !value.drvPath.endsWith('.drv'))
    throw new Error(
      'The flake of this builder (setting NIX_FLAKE) names no derivation in its plan',
    );
  const texts = (list: unknown): string[] => (Array.isArray(list) ? list.map(String) : []);
  return {
    drvPath: value.drvPath,
    hostName: typeof value.hostName === 'string' ? value.hostName : '',
    kernelParams: texts(value.kernelParams),
    warnings: texts(value.warnings),
  };
}
