import {setTimeout as sleep} from 'node:timers/promises';
import type {Client} from '@connectrpc/connect';
import type {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Backend} from './backends/backend.ts';

const callTimeoutMs = 30_000;
const retryMs = 300_000;

/** Lets the back ends free what only images need that the server no longer knows, again and again. */
export function startPruning({
  builds,
  backends,
  everyMs,
  log,
}: {
  builds: Pick<Client<typeof BuildService>, 'findImage'>;
  backends: readonly Backend[];
  everyMs: number;
  log: Logger;
}): AsyncDisposable {
  const stop = new AbortController();
  const {signal} = stop;

  const isKnown = async (inputKey: string): Promise<boolean> =>
    (await builds.findImage({inputKey}, {timeoutMs: callTimeoutMs, signal})).image !== undefined;

  /** False when something is left to do. */
  async function pruneAll(): Promise<boolean> {
    let done = true;
    for (const backend of backends) {
      if (signal.aborted || !backend.prune || (await backend.findMissing())) continue;
      try {
        const told = (line: string) => log.info({backend: backend.name}, line);
        done = (await backend.prune(isKnown, {signal, log: told})) && done;
      } catch (error) {
        // Without a server nothing is known to be useless: everything stays.
        if (!signal.aborted) log.warn({err: error, backend: backend.name}, 'cannot prune');
        done = false;
      }
    }
    return done;
  }

  async function loop(): Promise<void> {
    for (let pauseMs = everyMs; !signal.aborted;) {
      await sleep(pauseMs, undefined, {signal}).catch(() => undefined);
      if (!signal.aborted) pauseMs = (await pruneAll()) ? everyMs : Math.min(everyMs, retryMs);
    }
  }

  const running = loop();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
