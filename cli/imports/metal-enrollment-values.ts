/** How Metal Enrollment writes its values: texts of Go, in SQLite or PostgreSQL. */

/** Go writes nanoseconds and an offset into SQLite; PostgreSQL keeps no zone, and its hosts run in UTC. */
export function parseTime(text: string | undefined): Date | undefined {
  const match =
    /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d{1,3})?\d*\s*(?:(Z|UTC)|([+-]\d{2}):?(\d{2})?)?(?:\s.*)?$/.exec(
      text?.trim() ?? '',
    );
  if (!match) return undefined;
  const [, day, time, fraction = '', , hours, minutes = '00'] = match;
  const date = new Date(`${day}T${time}${fraction}${hours ? `${hours}:${minutes}` : 'Z'}`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** SQLite has numbers, PostgreSQL words; a column that is not there is undefined. */
export const parseBoolean = (text: string | undefined, missing: boolean): boolean =>
  text === undefined ? missing : ['1', 't', 'true'].includes(text.toLowerCase());

export type Json = Readonly<Record<string, unknown>>;

/** Undefined when there is none; throws a sentence when it is broken. */
export function parseObject(text: string | undefined): Json | undefined {
  if (text === undefined || text.trim() === '' || text.trim() === 'null') return undefined;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyntaxError('no object');
  return value as Json;
}

export const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};

export const listOf = (value: unknown): readonly Json[] =>
  Array.isArray(value) ? value.map(objectOf) : [];

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A whole number that is exact; else undefined. */
export const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
