import type {KeyObject} from 'node:crypto';
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {createUser, fromSeed} from '@nats-io/nkeys';
import {privateKeyOf} from '@muster/runtime/tokens.ts';

/** Who this edge is. The private key never leaves its state directory. */
export type Identity = {
  readonly key: KeyObject;
  /** "U…" */
  readonly publicKey: string;
  /** Given by the server when this edge joined. */
  readonly serviceId: string | undefined;
};

const seedName = 'edge.seed';
const serviceIdName = 'service-id';

/** Makes the key pair on the first start. */
export async function loadIdentity(stateDir: string): Promise<Identity> {
  await mkdir(stateDir, {recursive: true, mode: 0o700});
  const seedFile = path.join(stateDir, seedName);
  let seed = await readText(seedFile);
  if (seed === undefined) {
    seed = Buffer.from(createUser().getSeed()).toString();
    await writeWhole(seedFile, seed);
  }
  try {
    return {
      key: privateKeyOf(seed),
      publicKey: fromSeed(Buffer.from(seed)).getPublicKey(),
      serviceId: await readText(path.join(stateDir, serviceIdName)),
    };
  } catch (error) {
    throw new Error(
      `Cannot use the key in "${seedFile}": it is no user seed. Remove it and "${serviceIdName}" beside it, then join again`,
      {cause: error},
    );
  }
}

export async function saveServiceId(stateDir: string, serviceId: string): Promise<void> {
  await writeWhole(path.join(stateDir, serviceIdName), serviceId);
}

async function readText(file: string): Promise<string | undefined> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return text === '' ? undefined : text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, `${text}\n`, {mode: 0o600, flush: true});
  await rename(`${file}.new`, file);
}
