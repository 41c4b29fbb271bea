import type {Sql} from '../store/db.ts';
import {findMachinesOutOfScope} from '../store/machines.ts';
import {seesEverything} from '../store/scope.ts';

const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const replacement = 'another machine';

/** Texts about a machine may name another one: where a part came from, what it looks like. One of somebody else's is not told by its id. */
export async function conceal(sql: Sql, texts: readonly string[]): Promise<readonly string[]> {
  if (seesEverything()) return texts;
  const named = new Set(texts.flatMap(text => text.match(uuids) ?? []));
  if (named.size === 0) return texts;
  const others = await findMachinesOutOfScope(sql, [...named]);
  return texts.map(text => text.replaceAll(uuids, id => (others.has(id) ? replacement : id)));
}

/** The same for some fields of each item, as far as they were read. */
export async function concealIn<K extends string, T extends {readonly [F in K]?: string}>(
  sql: Sql,
  items: readonly T[],
  fields: readonly K[],
): Promise<readonly T[]> {
  if (seesEverything()) return items;
  const told = await conceal(
    sql,
    items.flatMap(item => fields.map(field => item[field] ?? '')),
  );
  return items.map((item, at) => ({
    ...item,
    ...Object.fromEntries(fields.map((field, index) => [field, told[at * fields.length + index]])),
  }));
}
