import type {MasterKey} from '../secrets.ts';
import * as store from '../store/secrets.ts';
import type {Deps} from './deps.ts';

/** The secret of that name, made when there is none. Several servers may start at once: all get the one that was written first. */
export async function getOrMakeSecret(
  {sql, now, key}: Pick<Deps, 'sql' | 'now'> & {key: MasterKey},
  name: string,
  make: () => Promise<Uint8Array>,
): Promise<Buffer> {
  const known = await store.findSecret(sql, name);
  if (known) return key.open(name, known);

  await store.insertSecret(sql, {name, sealed: key.seal(name, await make()), createTime: now()});
  const first = await store.findSecret(sql, name);
  if (!first) throw new Error(`Cannot find secret "${name}" after it was written`);
  return key.open(name, first);
}
