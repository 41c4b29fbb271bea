/**
 * One-dimensional arrays, for postgres.js with `fetch_types: false`. Otherwise it asks each new connection for its array types in a promise
 * that nobody holds (postgres.js 3.4.9, `fetchArrayTypes`): a database that dies in that moment ends the process as an unhandled rejection.
 */
type ArrayType = {
  readonly to: number;
  readonly from: number[];
  readonly serialize: (items: unknown) => unknown;
  readonly parse: (text: string) => unknown;
};

/** Object ids of pg_type, which never change: arrays whose items stay texts. */
const textArrays = [1009, 1015, 2951, 1040, 1016, 1231, 199, 3807];
const numberArrays = [1005, 1007, 1021, 1022];

const arrayType = (oid: number, parseItem: (text: string) => unknown): ArrayType => ({
  to: oid,
  from: [oid],
  serialize: formatArray,
  parse: text => parseArray(text).map(item => (item === null ? null : parseItem(item))),
});

/** For the `types` option. Arrays of other types come as PostgreSQL's text and must be cast in SQL. */
export const arrayTypes: Readonly<Record<string, ArrayType>> = Object.fromEntries(
  [
    ...textArrays.map(oid => arrayType(oid, text => text)),
    ...numberArrays.map(oid => arrayType(oid, Number)),
    arrayType(1000, text => text === 't'),
    arrayType(1185, text => new Date(text)),
  ].map(type => [`array${type.to}`, type]),
);

/** An array literal (PostgreSQL manual, 8.15.6); anything but an array is left for PostgreSQL to judge. */
export function formatArray(items: unknown): unknown {
  if (!Array.isArray(items)) return items;
  return `{${items.map(formatItem).join(',')}}`;
}

function formatItem(item: unknown): string {
  if (item === null) return 'NULL';
  if (item === undefined) throw new Error('Cannot store an array with an undefined item');
  const text = item instanceof Date ? item.toISOString() : `${item as string | number | bigint}`;
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** The items of a one-dimensional array literal; an unquoted NULL is null. */
export function parseArray(text: string): readonly (string | null)[] {
  const items: (string | null)[] = [];
  for (const [, quoted, bare] of text.slice(1, -1).matchAll(/"((?:[^"\\]|\\[^])*)"|([^,"]+)/g)) {
    if (quoted !== undefined) items.push(quoted.replaceAll(/\\([^])/g, '$1'));
    else items.push(bare === 'NULL' ? null : (bare ?? ''));
  }
  return items;
}
