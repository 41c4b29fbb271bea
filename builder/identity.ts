import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {KeyObject} from 'node:crypto';
import {createUser, fromSeed} from '@nats-io/nkeys';
import {privateKeyOf} from '@muster/runtime/tokens.ts';

/** This builder's own key pair; the private part never leaves this host. */
export type Identity = {
  /** "U…" */
  readonly publicKey: string;
  /** For request tokens. */
  readonly key: KeyObject;
  /** For NATS. */
  readonly seed: Uint8Array;
};

/** Reads the key of an earlier start or makes one (0600). */
export async function loadIdentity(directory: string): Promise<Identity> {
  await mkdir(directory, {recursive: true, mode: 0o700});
  const file = path.join(directory, 'key.seed');
  const text = (await readIfThere(file)) ?? (await makeSeed(file));
  const seed = Buffer.from(text.trim());
  return {publicKey: fromSeed(seed).getPublicKey(), key: privateKeyOf(text.trim()), seed};
}

async function makeSeed(file: string): Promise<string> {
  const text = Buffer.from(createUser().getSeed()).toString();
  await writeWhole(file, `${text}\n`);
  return text;
}

/** The id under which the server knows this builder; undefined before it has joined. */
export async function readServiceId(directory: string): Promise<string | undefined> {
  return (await readIfThere(path.join(directory, 'service-id')))?.trim();
}

export async function writeServiceId(directory: string, serviceId: string): Promise<void> {
  await writeWhole(path.join(directory, 'service-id'), `${serviceId}\n`);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file is there as a whole or not at all, also after a crash. */
async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.partial`, text, {mode: 0o600, flush: true});
  await rename(`${file}.partial`, file);
}
