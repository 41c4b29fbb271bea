import {setTimeout as sleep} from 'node:timers/promises';
import type {Logger} from '@muster/runtime/log.ts';
import {repeat} from '../repeat.ts';
import {type BootRow, findNextTransaction, listBootChanges} from '../store/boot-answers.ts';
import type {Database} from '../store/db.ts';
import {createWakeUps} from '../wake-ups.ts';
import type {AcceptancePolicy} from './acceptance.ts';
import {type BootAnswer, createBootBook} from './boot-book.ts';
import {type BootDecision, decideUnknownBoot} from './boot-decision.ts';
import type {BootImage, BootImages, RegistrationImages} from './boot-images.ts';

/** Beyond committed events, which wake it: a change without an event, a lost notification. */
const refreshEveryMs = 5000;
/** Between two looks, while machines come: each writes half a dozen events one after the other. */
const refreshRestMs = 40;
const answersInMessageMax = 500;
/** A reader that is further behind than this starts again from a snapshot. */
const stepsKeptMax = 1000;
const imagesInQueryMax = 1000;

/** What boot.json is made of; the same at every server. */
export type BootFacts = {
  readonly policy: AcceptancePolicy;
  /** With {edge_host} for the address the machine reached the edge at. */
  readonly enrollUrl: string;
  readonly natsServers: readonly string[];
  readonly siteCa: string;
};

export type BookImages = RegistrationImages & {readonly images: readonly BootImage[]};
export type BookSettings = Omit<BootFacts, 'policy'> & {readonly unknown: BootDecision};

/** One message; a step is over with `complete`. */
export type BookMessage = {
  readonly reset: boolean;
  readonly complete: boolean;
  readonly revision: bigint;
  readonly answers: readonly BootAnswer[];
  readonly removedMachineIds: readonly string[];
  readonly images: BookImages | undefined;
  readonly settings: BookSettings | undefined;
};

type Step = {
  readonly number: number;
  /** None of what it was made from, machines and registration images, is above it. */
  readonly newestTransaction: bigint;
  readonly machineIds: readonly string[];
  readonly removedIds: readonly string[];
  readonly images: boolean;
};

export type BootAnswers = Awaited<ReturnType<typeof startBootAnswers>>;

/**
 * The answer book of all edges: rebuilt from PostgreSQL at the start, then moved on by what committed. `listen` calls back whenever something did.
 * Readers hold only a step number, so that a slow one costs nothing.
 */
export async function startBootAnswers({
  sql,
  images,
  facts,
  listen,
  log,
}: {
  readonly sql: Database;
  readonly images: BootImages;
  readonly facts: BootFacts;
  readonly listen: (wake: () => void) => Promise<AsyncDisposable>;
  readonly log: Logger;
}) {
  await using stack = new AsyncDisposableStack();
  const book = createBootBook(facts.policy);
  const wakeUps = createWakeUps();
  const steps: Step[] = [];
  let revision = 0n;
  let current: BookImages = {full: undefined, virtual: undefined, images: []};
  let stepCount = 0;
  /** Removals of the last look: they come again while the revision stays below them. */
  let told: ReadonlySet<string> = new Set();
  let forgottenTransaction = 0n;

  async function refresh(): Promise<void> {
    // In this order: a reader of the new revision has seen the effect of every image below it.
    const changes = await listBootChanges(sql, revision);
    const registration = await images.findRegistration();
    const isNewRegistration =
      registration.full !== current.full || registration.virtual !== current.virtual;
    const removedIds = changes.removed.map(({id}) => id);
    const changed = book.apply(changes.rows, registration, removedIds);
    const next = await loadImages(registration);
    const imagesChanged = next !== current;
    current = next;
    revision = changes.revision;
    const news = removedIds.filter(id => !told.has(id));
    told = new Set(removedIds);
    if (changed.length === 0 && news.length === 0 && !imagesChanged) return;

    stepCount += 1;
    const machineIds = changed.map(({machineId}) => machineId);
    const newestTransaction = isNewRegistration
      ? await findNextTransaction(sql)
      : newestOf([...changes.rows, ...changes.removed]);
    steps.push({
      number: stepCount,
      newestTransaction,
      machineIds,
      removedIds: news,
      images: imagesChanged,
    });
    const forgotten = steps.length > stepsKeptMax ? steps.shift() : undefined;
    if (forgotten && forgotten.newestTransaction > forgottenTransaction)
      forgottenTransaction = forgotten.newestTransaction;
    wakeUps.notify();
  }

  /** The same object while nothing changed. Images are immutable: only new ones are read. */
  async function loadImages(registration: RegistrationImages): Promise<BookImages> {
    const ids = book.imageIds();
    const wanted = new Set([...ids, registration.full, registration.virtual]);
    wanted.delete(undefined);
    const known = new Map(current.images.map(image => [image.id, image]));
    const missing = [...wanted].filter(id => id !== undefined).filter(id => !known.has(id));
    for (let start = 0; start < missing.length; start += imagesInQueryMax)
      for (const image of await images.find(missing.slice(start, start + imagesInQueryMax)))
        known.set(image.id, image);

    const list = [...known.values()].filter(({id}) => wanted.has(id));
    const same =
      list.length === current.images.length &&
      list.every(({id}, index) => current.images[index]?.id === id) &&
      registration.full === current.full &&
      registration.virtual === current.virtual;
    return same ? current : {...registration, images: list};
  }

  function settings(): BookSettings {
    const {policy, ...rest} = facts;
    return {...rest, unknown: decideUnknownBoot(policy, current).decision};
  }

  function* messages(
    answers: Iterable<BootAnswer>,
    {
      reset,
      images: withImages,
      removed = [],
    }: {reset: boolean; images: boolean; removed?: readonly string[]},
  ): Generator<BookMessage> {
    const at = revision;
    const head = withImages ? {images: current, settings: settings()} : undefined;
    const all = [...answers];
    for (let start = 0; start === 0 || start < all.length; start += answersInMessageMax)
      yield {
        reset: reset && start === 0,
        complete: start + answersInMessageMax >= all.length,
        revision: at,
        answers: all.slice(start, start + answersInMessageMax),
        removedMachineIds: start === 0 ? removed : [],
        images: start === 0 ? head?.images : undefined,
        settings: start === 0 ? head?.settings : undefined,
      };
  }

  function changesOf(later: readonly Step[]) {
    const ids = new Set(later.flatMap(({machineIds}) => machineIds));
    return [...ids].map(id => book.answer(id)).filter(answer => answer !== undefined);
  }

  /** A reader of this revision has seen every transaction below it, wherever it read. */
  function* resume(seen: bigint): Generator<BookMessage> {
    const known = seen > 0n && seen <= revision && forgottenTransaction < seen;
    const later = steps.filter(step => step.newestTransaction >= seen);
    const answers = known ? changesOf(later) : book.answers();
    const removed = known ? removedBy(later) : [];
    yield* messages(answers, {reset: !known, images: true, removed});
  }

  /** A reader that is too far behind starts again. */
  function* follow(stepNumber: number): Generator<BookMessage> {
    const [oldest] = steps;
    const later = steps.filter(({number}) => number > stepNumber);
    if (oldest && oldest.number > stepNumber + 1)
      yield* messages(book.answers(), {reset: true, images: true});
    else if (later.length > 0)
      yield* messages(changesOf(later), {
        reset: false,
        images: later.some(step => step.images),
        removed: removedBy(later),
      });
  }

  await refresh();
  const refreshing = stack.use(
    repeat({
      name: 'boot answers',
      intervalMs: refreshEveryMs,
      step: async signal => {
        await refresh();
        await sleep(refreshRestMs, undefined, {signal}).catch(() => undefined);
      },
      log,
    }),
  );
  stack.use(await listen(() => refreshing.wake()));
  const owned = stack.move();

  return {
    get size() {
      return book.size;
    },
    get registration(): RegistrationImages {
      return current;
    },
    refresh: () => refreshing.wake(),

    /** A snapshot, or what changed since `seen`; then every change. Ends with the signal. */
    async *watch(seen: bigint, signal: AbortSignal): AsyncGenerator<BookMessage> {
      let version = wakeUps.version;
      let reached = stepCount;
      yield* resume(seen);
      while (!signal.aborted) {
        await wakeUps.after(version, signal);
        version = wakeUps.version;
        const last = stepCount;
        yield* follow(reached);
        reached = last;
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const removedBy = (steps: readonly Step[]): readonly string[] => [
  ...new Set(steps.flatMap(({removedIds}) => removedIds)),
];

function newestOf(rows: readonly Pick<BootRow, 'bootXid'>[]): bigint {
  return rows.reduce((newest, {bootXid}) => {
    const xid = BigInt(bootXid);
    return xid > newest ? xid : newest;
  }, 0n);
}
