import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {createWriteStream} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import type {LocalArtifact} from './backends/backend.ts';
import {openCache} from './cache.ts';

const attemptsMax = 6;
const firstDelayMs = 500;
const delayMaxMs = 15_000;
const idleTimeoutMs = 60_000;
/** What is used again: files of images; whole disks are large. */
const filesMax = 32;
const disksMax = 2;
const fileName = 'content';

export type Wanted = {readonly name: string; readonly sha256: string; readonly sizeBytes: number};

/** Files of the image store on this host. */
export type Downloads = {
  /** Throws when it is not there, or is another one than its name says. */
  fetch(wanted: Wanted, kind: 'file' | 'disk', signal: AbortSignal): Promise<LocalArtifact>;
};

/** Fetches by digest, checks it, and keeps what was used last. */
export async function openDownloads(
  serverUrl: string,
  {authorize, directory}: {readonly authorize: () => Promise<string>; readonly directory: string},
): Promise<Downloads> {
  const caches = {
    file: await openCache(path.join(directory, 'files'), filesMax),
    disk: await openCache(path.join(directory, 'disks'), disksMax),
  };
  return {
    async fetch(wanted, kind, signal) {
      const place = await caches[kind].directory(kind, wanted.sha256, partial =>
        persist(wanted, signal, async () => {
          const url = new URL(`/blobs/sha256/${wanted.sha256}`, serverUrl);
          const file = path.join(partial, fileName);
          await download(url, wanted, {file, authorization: await authorize(), signal});
        }),
      );
      return {...wanted, path: path.join(place, fileName)};
    },
  };
}

async function persist(
  {name}: Wanted,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt === attemptsMax)
        throw new Error(`Cannot fetch "${name}" from the image store: ${String(error)}`, {
          cause: error,
        });
    }
    await sleep(Math.min(firstDelayMs * 2 ** attempt, delayMaxMs), undefined, {signal});
  }
}

async function download(
  url: URL,
  {sha256, sizeBytes}: Wanted,
  {file, authorization, signal}: {file: string; authorization: string; signal: AbortSignal},
): Promise<void> {
  const {get} = url.protocol === 'https:' ? https : http;
  const asked = get(url, {headers: {authorization}, signal, timeout: idleTimeoutMs});
  asked.on('timeout', () => asked.destroy(new Error(`No answer for ${idleTimeoutMs} ms`)));
  const [response] = (await once(asked, 'response')) as [http.IncomingMessage];
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`the image store answered ${response.statusCode}`);
  }
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(
    response as Readable,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > sizeBytes) throw new Error(`it has more than ${sizeBytes} bytes`);
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file),
    {signal},
  );
  if (bytes !== sizeBytes || hash.digest('hex') !== sha256)
    throw new Error('what came is not what its digest says');
}
