import {createReadStream} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import {pipeline} from 'node:stream/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import type {LocalArtifact} from './backends/backend.ts';

const attemptsMax = 8;
const firstDelayMs = 500;
const delayMaxMs = 15_000;
const idleTimeoutMs = 60_000;
const answerBytesMax = 4096;

export type ImageStore = {
  /** Puts the artifact there unless it is there already. */
  upload(artifact: LocalArtifact, signal: AbortSignal): Promise<void>;
};

/** The server's image store: `/blobs/sha256/<digest>`, which checks the digest of what it is given. */
export function createImageStore(serverUrl: string, authorize: () => Promise<string>): ImageStore {
  return {
    async upload(artifact, signal) {
      const url = new URL(`/blobs/sha256/${artifact.sha256}`, serverUrl);
      for (let attempt = 1; ; attempt += 1) {
        try {
          await uploadOnce(url, artifact, {authorization: await authorize(), signal});
          return;
        } catch (error) {
          signal.throwIfAborted();
          if (attempt === attemptsMax || (error instanceof StoreError && !error.isTransient))
            throw new Error(`Cannot upload "${artifact.name}": ${messageOf(error)}`, {
              cause: error,
            });
        }
        await sleep(Math.min(firstDelayMs * 2 ** attempt, delayMaxMs), undefined, {signal});
      }
    },
  };
}

class StoreError extends Error {
  readonly isTransient: boolean;

  constructor(status: number, text: string) {
    super(`the image store answered ${status}${text === '' ? '' : `: ${text.trim()}`}`);
    this.isTransient = status >= 500 || status === 408 || status === 429;
  }
}

type RequestOptions = {readonly authorization: string; readonly signal: AbortSignal};

async function uploadOnce(
  url: URL,
  artifact: LocalArtifact,
  options: RequestOptions,
): Promise<void> {
  const known = await request(url, 'HEAD', options);
  if (known.status === 200 && known.length === artifact.sizeBytes) return;
  if (known.status !== 200 && known.status !== 404) throw new StoreError(known.status, known.text);
  const stored = await request(url, 'PUT', options, artifact);
  if (stored.status !== 200 && stored.status !== 201)
    throw new StoreError(stored.status, stored.text);
}

type Answer = {readonly status: number; readonly length: number; readonly text: string};

async function request(
  url: URL,
  method: 'HEAD' | 'PUT',
  {authorization, signal}: RequestOptions,
  artifact?: LocalArtifact,
): Promise<Answer> {
  const {request: open} = url.protocol === 'https:' ? https : http;
  const headers = {
    authorization,
    ...(artifact && {
      'content-type': 'application/octet-stream',
      'content-length': artifact.sizeBytes,
    }),
  };
  const sent = open(url, {method, headers, signal, timeout: idleTimeoutMs});
  sent.on('timeout', () => sent.destroy(new Error(`No answer for ${idleTimeoutMs} ms`)));
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
  });
  if (!artifact) sent.end();
  // A store that refuses the body answers before it has all of it; that answer says more than the broken pipe.
  const body = artifact
    ? pipeline(createReadStream(artifact.path, {highWaterMark: 1024 * 1024}), sent).catch(
        (error: unknown) => error,
      )
    : undefined;

  const response = await answered;
  const answer = {
    status: response.statusCode ?? 0,
    length: Number(response.headers['content-length'] ?? -1),
    text: await readText(response),
  };
  await body;
  return answer;
}

async function readText(response: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response)
    if (text.length < answerBytesMax) text += (chunk as Buffer).toString('utf8');
  return text.slice(0, answerBytesMax);
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
