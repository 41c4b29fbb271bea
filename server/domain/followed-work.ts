import type {LogChunk} from '../store/log-chunks.ts';
import type {KeyedWakeUps} from '../wake-ups.ts';

const chunksPerReadMax = 50;

/** Work of builders as it is now. */
export type Seen<Update> = {
  readonly update: Update;
  /** Grows with each change that is worth telling. */
  readonly revision: number;
  readonly over: boolean;
  /** Its log after a chunk. */
  readonly logAfter: (number: number) => AsyncIterable<LogChunk>;
};

/** Tells each change and each line once, the end last. The log is read after the state: work that is over by then has its whole log. */
export async function* followWork<Update>(
  {
    id,
    changes,
    read,
  }: {
    readonly id: string;
    readonly changes: KeyedWakeUps;
    readonly read: () => Promise<Seen<Update>>;
  },
  signal: AbortSignal,
): AsyncGenerator<Update | {readonly log: LogChunk}> {
  using subscription = changes.subscribe(id);
  let revision = 0;
  let number = 0;
  while (!signal.aborted) {
    const seen = subscription.version;
    const now = await read();
    if (!now.over && now.revision !== revision) yield now.update;
    revision = now.revision;
    for await (const log of now.logAfter(number)) {
      number = log.number || number;
      yield {log};
    }
    if (now.over) {
      yield now.update;
      return;
    }
    await subscription.after(seen, signal);
  }
}

export async function* readLog(
  list: (page: {readonly after: number; readonly limit: number}) => Promise<readonly LogChunk[]>,
  after: number,
): AsyncGenerator<LogChunk> {
  for (let number = after; ;) {
    const chunks = await list({after: number, limit: chunksPerReadMax});
    yield* chunks;
    if (chunks.length < chunksPerReadMax) return;
    number = chunks.at(-1)?.number ?? number;
  }
}
