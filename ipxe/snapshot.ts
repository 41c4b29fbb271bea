import {createHash} from 'node:crypto';
import {open, readFile, rename, rm} from 'node:fs/promises';
import path from 'node:path';
import {setImmediate as yieldToOthers, setTimeout as sleep} from 'node:timers/promises';
import {create, fromBinary, toBinary} from '@bufbuild/protobuf';
import {
  type BootAnswer,
  type WatchBootAnswersResponse,
  WatchBootAnswersResponseSchema,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Book} from './book.ts';

const magic = Buffer.from('muster boot answers 1\n');
const digestBytes = 32;
const chunkAnswers = 500;
const settleMs = 1000;

/** The last book this edge knew. Undefined when there is none, or when it is not what was written. */
export async function loadSnapshot(
  file: string,
  log: Logger,
): Promise<WatchBootAnswersResponse | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Error(`Cannot read the boot answers in "${file}"`, {cause: error});
  }

  const start = magic.length + digestBytes;
  const payload = bytes.subarray(start);
  const intact =
    bytes.subarray(0, magic.length).equals(magic) &&
    bytes.subarray(magic.length, start).equals(digestOf([payload]));
  if (intact) return fromBinary(WatchBootAnswersResponseSchema, payload);

  log.error({file}, 'boot answers on disk are damaged: starting without, kept beside as .damaged');
  await rename(file, `${file}.damaged`);
  return undefined;
}

/** Written whole or not at all, readable by this process only. Encoded in pieces: a big book must not hold up requests. */
export async function saveSnapshot(file: string, book: Book): Promise<void> {
  const pieces = [
    encode({reset: true, complete: true, revision: book.revision, ...optionalParts(book)}),
  ];
  let answers: BootAnswer[] = [];
  // As it is now: the book may change while others get their turn.
  const machines = [...book.answers()];
  for (const {answer} of machines) {
    answers.push(answer);
    if (answers.length < chunkAnswers) continue;
    // Messages written one after the other are one message: repeated fields add up (protobuf encoding, "last one wins" and merging).
    pieces.push(encode({answers}));
    answers = [];
    await yieldToOthers();
  }
  pieces.push(encode({answers}));
  await writeAtomically(file, [magic, digestOf(pieces), ...pieces]);
}

/** Saves the book a second after it changed, and once more when it ends. */
export function keepSnapshot({file, book, log}: {file: string; book: Book; log: Logger}) {
  const stop = new AbortController();
  let dirty = false;
  let wake: () => void = () => undefined;

  async function save() {
    dirty = false;
    try {
      await saveSnapshot(file, book);
    } catch (error) {
      dirty = true;
      log.error({err: error, file}, 'boot answers not written to disk');
    }
  }
  async function run() {
    while (!stop.signal.aborted) {
      if (!dirty) await new Promise<void>(resolve => (wake = resolve));
      await sleep(settleMs, undefined, {signal: stop.signal}).catch(() => undefined);
      if (dirty && !stop.signal.aborted) await save();
    }
    if (dirty) await save();
  }
  const running = run();

  return {
    changed() {
      dirty = true;
      wake();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      wake();
      await running;
    },
  };
}

async function writeAtomically(file: string, pieces: readonly Uint8Array[]): Promise<void> {
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    for (const piece of pieces) await handle.write(piece);
    await handle.sync();
    await handle.close();
    await rename(temporary, file);
  } catch (error) {
    await handle.close();
    await rm(temporary, {force: true});
    throw error;
  }
  const directory = await open(path.dirname(file), 'r');
  await directory.sync();
  await directory.close();
}

function optionalParts({settings, imageList, imagesGeneration}: Book) {
  return {
    ...(settings ? {settings} : {}),
    ...(imagesGeneration > 0 ? {images: {...imageList, images: [...imageList.images]}} : {}),
  };
}

function encode(message: Parameters<typeof create<typeof WatchBootAnswersResponseSchema>>[1]) {
  return toBinary(WatchBootAnswersResponseSchema, create(WatchBootAnswersResponseSchema, message));
}

function digestOf(pieces: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}
