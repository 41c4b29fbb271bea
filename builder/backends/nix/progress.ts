import {activity, type NixEvent, result} from './internal-json.ts';

/** What a run of Nix has done so far. */
export type NixProgress = {
  /** 0 to 1, and never less than before. */
  readonly fraction: number;
  readonly built: number;
  readonly toBuild: number;
  readonly fetchedBytes: number;
};

type Activity = {
  readonly type: number;
  /** Derivation, store path or address. */
  readonly target: string;
  readonly name: string;
  phase: string;
};

const tailLinesMax = 20;
const tailsMax = 256;

/**
 * Folds the events of one run. Nix's own totals grow, shrink and end at odd numbers (NixOS/nix#13935), so what shall be built is counted
 * before (`nix-store --dry-run`), and what is done is counted by the ends of builds.
 *
 * @param onLine gets lines for the live log: "[2/5] linux: installPhase", "linux> CC init/main.o".
 */
export function createNixProgress(
  {toBuild, toFetchBytes = 0}: {toBuild: number; toFetchBytes?: number},
  onLine: (line: string) => void,
) {
  const running = new Map<string, Activity>();
  const bytes = new Map<string, number>();
  const started = new Set<string>();
  const tails = new Map<string, string[]>();
  let built = 0;
  let lastEnded = '';
  let fraction = 0;

  const expected = () => Math.max(toBuild, started.size);
  const fetchedBytes = () => bytes.values().reduce((sum, count) => sum + count, 0);
  const update = () => {
    const steps =
      toFetchBytes > 0 ? fetchedBytes() / toFetchBytes : built / Math.max(1, expected());
    fraction = Math.max(fraction, Math.min(1, steps));
  };

  function start(event: NixEvent & {action: 'start'}): void {
    const target = String(event.fields[0] ?? '');
    running.set(event.id, {type: event.type, target, name: nameOf(target), phase: ''});
    if (event.type === activity.build) {
      started.add(target);
      onLine(`[${started.size}/${expected()}] building ${nameOf(target)}`);
    } else if (event.type === activity.substitute) {
      onLine(`fetching ${nameOf(target)} from ${String(event.fields[1] ?? '')}`);
    }
  }

  function keepTail(target: string, line: string): void {
    const tail = tails.get(target) ?? [];
    if (tail.push(line) > tailLinesMax) tail.shift();
    if (tails.size < tailsMax) tails.set(target, tail);
  }

  function take(event: NixEvent & {action: 'result'}): void {
    const of = running.get(event.id);
    if (!of) return;
    const [first = '', second = 0] = event.fields;
    if (event.type === result.buildLogLine || event.type === result.postBuildLogLine) {
      keepTail(of.target, String(first));
      onLine(`${of.name}> ${first}`);
    } else if (event.type === result.setPhase) {
      of.phase = String(first);
      onLine(`[${started.size}/${expected()}] ${of.name}: ${of.phase}`);
    } else if (event.type === result.progress && of.type === activity.copyPath && second !== 0)
      bytes.set(event.id, Math.max(bytes.get(event.id) ?? 0, Number(first)));
  }

  return {
    add(event: NixEvent): void {
      if (event.action === 'start') start(event);
      else if (event.action === 'result') take(event);
      else if (event.action === 'stop') {
        const ended = running.get(event.id);
        if (ended?.type === activity.build) {
          built += 1;
          lastEnded = ended.target;
        }
        running.delete(event.id);
      } else if (event.action === 'text') onLine(event.text);
      else if (event.level <= 1 && !isExpected(event.text))
        onLine(event.level === 1 ? event.text : `error: ${event.text}`);
      update();
    },
    now: (): NixProgress => ({
      fraction,
      built,
      toBuild: expected(),
      fetchedBytes: fetchedBytes(),
    }),
    /** The last lines that the build of this derivation wrote. */
    tailOf: (derivation: string): readonly string[] => tails.get(derivation) ?? [],
    lastEnded: () => lastEnded,
    /** What runs at the moment: derivation and phase. */
    current: (): readonly {readonly name: string; readonly phase: string}[] =>
      [...running.values()]
        .filter(({type}) => type === activity.build)
        .map(({name, phase}) => ({name, phase})),
  };
}

/** Said by every run that is kept from the network. */
const isExpected = (text: string): boolean => text.includes("you don't have Internet access");

/** "linux-6.12.3" of a store path. */
export const nameOf = (storePath: string): string =>
  storePath.replace(/^.*\/[0-9a-z]{32}-/, '').replace(/\.drv$/, '');
