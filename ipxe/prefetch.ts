import {setTimeout as sleep} from 'node:timers/promises';
import type {Artifacts} from './artifacts.ts';
import type {Book, KnownArtifact} from './book.ts';

const retryMs = 10_000;

/**
 * Fetches what the book's images need before a machine asks, as far as there is room: after each change, and again after 10 s while
 * something is missing. One at a time: machines that wait come first.
 */
export function startPrefetch({book, artifacts}: {book: Book; artifacts: Artifacts}) {
  const stop = new AbortController();
  const stopped = Promise.withResolvers<undefined>();
  let wake: () => void = () => undefined;
  let changed = false;

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      const complete = await fetchMissing();
      if (stop.signal.aborted) return;
      const next = new Promise<void>(resolve => (wake = resolve));
      if (changed) continue;
      const timer = new AbortController();
      const pause = sleep(retryMs, undefined, {signal: timer.signal}).catch(() => undefined);
      await (complete ? next : Promise.race([next, pause]));
      timer.abort();
    }
  }

  async function fetchMissing(): Promise<boolean> {
    changed = false;
    let complete = true;
    for (const {artifact} of inOrderOfNeed(book)) {
      if (stop.signal.aborted || changed) return false;
      const sizeBytes = Number(artifact.sizeBytes);
      if (artifacts.has(artifact.sha256) || !artifacts.hasRoomFor(sizeBytes)) continue;
      const fetched = artifacts.ensure(artifact.sha256, sizeBytes);
      const outcome = await Promise.race([fetched, stopped.promise]);
      // The server is away: the others would fail as well.
      if (outcome === 'unavailable' || outcome === undefined) return false;
      if (outcome === 'lost') complete = false;
    }
    return complete;
  }

  const running = run();
  return {
    changed() {
      changed = true;
      wake();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      stopped.resolve(undefined);
      wake();
      await running;
    },
  };
}

/** Registration images first: any stranger needs them. */
function inOrderOfNeed(book: Book): readonly KnownArtifact[] {
  const {registrationFullImageId, registrationVirtualImageId} = book.imageList;
  const registration = new Set([registrationFullImageId, registrationVirtualImageId]);
  const isRegistration = ({imageIds}: KnownArtifact) => imageIds.some(id => registration.has(id));
  const all = [...book.artifacts()];
  return [...all.filter(isRegistration), ...all.filter(item => !isRegistration(item))];
}
