import {Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ConfigurationError} from '../configuration-error.ts';
import type {BuildContext} from '../backend.ts';
import {explainBuild} from './build-errors.ts';
import type {NixEvent} from './internal-json.ts';
import {createNixProgress} from './progress.ts';
import {lastWords, runNix} from './run-nix.ts';
import type {NixStore} from './store.ts';

/** What Nix would do for a derivation (`nix-store --realise --dry-run`). */
export type Outlook = {
  readonly toBuild: readonly string[];
  readonly toFetch: readonly string[];
  /** Unpacked. */
  readonly toFetchBytes: number;
};

const pathsPerCallMax = 500;

/**
 * Fetches what the configured caches have, then builds the rest without a network, and roots the result at `link`. Fixed-output derivations
 * are the one kind of build that Nix's own sandbox lets onto the network; kept from it they come from a cache or fail. Throws a
 * ConfigurationError with what did not build.
 */
export async function realise(
  store: NixStore,
  {drvPath, link}: {drvPath: string; link: string},
  context: BuildContext,
): Promise<void> {
  context.step('fetch');
  const outlook = await lookAhead(store, drvPath, context.signal);
  context.log(
    `${outlook.toBuild.length} derivations to build, ${outlook.toFetch.length} paths to fetch (${outlook.toFetchBytes} bytes)`,
  );
  // A cache may name what it then does not give, or what nobody trusted has signed: perhaps it can be built.
  const unfetched = await fetchPaths(store, outlook, context);
  if (unfetched !== undefined) context.log(`warning: ${unfetched}`);

  context.step('build');
  const failure = await build(store, {drvPath, link, toBuild: outlook.toBuild.length}, context);
  if (failure === undefined) return;
  if (unfetched === undefined) throw failure;
  const others = failure instanceof ConfigurationError ? failure.diagnostics : [];
  throw new ConfigurationError([{kind: Diagnostic_Kind.FETCH, message: unfetched}, ...others]);
}

export async function lookAhead(
  store: NixStore,
  drvPath: string,
  signal: AbortSignal,
): Promise<Outlook> {
  const lines: string[] = [];
  const onEvent = (event: NixEvent) => {
    if (event.action === 'message') lines.push(...event.text.split('\n'));
    if (event.action === 'text') lines.push(event.text);
  };
  const end = await runNix(
    await store.environment(signal),
    ['nix-store', '--realise', '--dry-run', drvPath],
    {signal, onEvent},
  );
  if (end.status !== 0) throw new Error(`Cannot find out what is to be built: ${lastWords(end)}`);
  return parseOutlook(lines);
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

export function parseOutlook(lines: readonly string[]): Outlook {
  const toBuild: string[] = [];
  const toFetch: string[] = [];
  let list: string[] | undefined;
  let toFetchBytes = 0;
  for (const line of lines) {
    if (/^(?:this|these) .*(?:derivation|derivations) will be built/.test(line)) list = toBuild;
    else if (/^(?:this|these) .*(?:path|paths) will be fetched/.test(line)) {
      list = toFetch;
      const [, count = '0', unit = ''] = /([\d.]+) (\w+) unpacked/.exec(line) ?? [];
      toFetchBytes = Math.round(Number(count) * (units[unit] ?? 1));
    } else if (/^\s+\//.test(line)) list?.push(line.trim());
    else list = undefined;
  }
  return {toBuild, toFetch, toFetchBytes};
}

/**
 * By path and not by derivation: whatever happens, nothing is built with a network.
 *
 * @returns why not everything could be fetched.
 */
async function fetchPaths(
  store: NixStore,
  {toFetch, toFetchBytes}: Outlook,
  context: BuildContext,
): Promise<string | undefined> {
  let failure: string | undefined;
  const progress = createNixProgress({toBuild: 0, toFetchBytes}, context.log);
  for (let at = 0; at < toFetch.length; at += pathsPerCallMax) {
    const end = await runNix(
      await store.environment(context.signal),
      ['nix-store', '--realise', '--keep-going', ...toFetch.slice(at, at + pathsPerCallMax)],
      {
        signal: context.signal,
        deathSignal: 'INT',
        onEvent(event) {
          progress.add(event);
          context.progress(progress.now().fraction);
        },
      },
    );
    if (end.status !== 0)
      failure = `Cannot fetch all that the caches of this builder name (setting NIX_SUBSTITUTERS): ${lastWords(end)}`;
  }
  return failure;
}

/** @returns why it did not succeed. */
async function build(
  store: NixStore,
  {drvPath, link, toBuild}: {drvPath: string; link: string; toBuild: number},
  context: BuildContext,
): Promise<Error | undefined> {
  const {limits} = store.settings;
  const {signal} = context;
  const progress = createNixProgress({toBuild}, context.log);
  const end = await runNix(
    await store.environment(signal),
    [
      ...(['nix', 'build', '--json', '-v', '--out-link', link] as const),
      ...['--max-silent-time', `${limits.silenceSeconds}`, '--timeout', `${limits.buildSeconds}`],
      ...['--option', 'max-build-log-size', `${limits.buildLogBytes}`],
      ...(store.canIsolate ? ['--option', 'substitute', 'false'] : []),
      await outputsOf(store, drvPath, signal),
    ],
    {
      signal,
      offline: store.canIsolate,
      // Interrupted, it ends its builds; killed, it would leave them behind.
      deathSignal: 'INT',
      onEvent(event) {
        progress.add(event);
        context.progress(progress.now().fraction);
      },
    },
  );
  if (end.status !== 0) return explainBuild(end, {limits, ...progress});
  context.log(`${progress.now().built} derivations built`);
  return undefined;
}

const firstWithOutputs = [2, 15] as const;

/** Until 2.14 a derivation stands for its outputs, since then for itself. */
async function outputsOf(store: NixStore, drvPath: string, signal: AbortSignal): Promise<string> {
  const [major, minor] = (await store.environment(signal)).version;
  const isNew =
    major > firstWithOutputs[0] || (major === firstWithOutputs[0] && minor >= firstWithOutputs[1]);
  return isNew ? `${drvPath}^*` : drvPath;
}
