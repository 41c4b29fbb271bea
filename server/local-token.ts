import {randomBytes} from 'node:crypto';
import {rename, rm, writeFile} from 'node:fs/promises';
import {makeSecretCode} from './domain/secret-codes.ts';

/** A token of the local administrator, new at each start and valid until the process ends; its file is readable by its owner only. */
export async function writeLocalToken(path: string): Promise<AsyncDisposable & {sha256: Buffer}> {
  const {code, sha256} = makeSecretCode('local');
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${code}\n`, {mode: 0o600, flag: 'wx'});
  await rename(draft, path);
  return {sha256, [Symbol.asyncDispose]: () => rm(path, {force: true})};
}
