import {createHash} from 'node:crypto';
import {DomainError} from '../errors.ts';
import type {OrderPart} from '../store/machine-keys.ts';
import {badPageToken, isUuid} from './ids.ts';

export type SearchToken = {
  readonly keys: readonly string[];
  /** The pages are of machines that are like the words of the filter. */
  readonly similar: boolean;
};

/** What a page token belongs to. */
export function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);
}

/** Opaque to clients: the sort keys of the last row, as texts. */
export function encodeSearchToken(digest: string, {keys, similar}: SearchToken): string {
  return Buffer.from(JSON.stringify([digest, similar ? 1 : 0, ...keys])).toString('base64url');
}

/** Undefined for the first page. Throws invalid_argument. */
export function decodeSearchToken(
  token: string,
  {digest, order}: {readonly digest: string; readonly order: readonly OrderPart[]},
): SearchToken | undefined {
  if (token === '') return undefined;
  const [known, similar, ...keys] = parse(token);
  if (typeof known !== 'string' || !keys.every(key => typeof key === 'string'))
    throw badPageToken(token);
  if (known !== digest)
    throw new DomainError(
      'invalid_argument',
      'Cannot use this page token: it belongs to another filter or order; ask for the first page again',
    );
  const fits =
    keys.length === order.length + 1 &&
    isUuid(keys.at(-1) ?? '') &&
    order.every(({field}, index) => isKey(field.source.kind, keys[index] ?? ''));
  if (!fits) throw badPageToken(token);
  return {keys, similar: similar === 1};
}

function parse(token: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return []; // The caller refuses it.
  }
}

/** Whatever is no such value would fail in the database. */
function isKey(kind: string, key: string): boolean {
  if (kind === 'id') return isUuid(key);
  if (kind === 'number' || kind === 'time') return /^-?\d{1,16}$/.test(key);
  return !key.includes('\0') && key.isWellFormed();
}
