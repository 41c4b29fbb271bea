/** First and last byte, both included. */
export type ByteRange = {readonly first: number; readonly last: number};

/**
 * Which part of a file of `sizeBytes` a Range header asks for (RFC 9110, 14.2): undefined for the whole file, also for headers that
 * are to be ignored (other units, bad syntax, several ranges, an If-Range that does not match).
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(header ?? '');
  if (!match) return undefined;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return undefined;

  if (from === '') {
    const length = Math.min(Number(to), sizeBytes);
    return length === 0 ? 'unsatisfiable' : {first: sizeBytes - length, last: sizeBytes - 1};
  }
  const first = Number(from);
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== '' && Number(to) < first) return undefined;
  return first >= sizeBytes ? 'unsatisfiable' : {first, last};
}

/** Whether an If-None-Match or If-Match list names this entity tag. Weak comparison (RFC 9110, 8.8.3.2). */
export function matchesEntityTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header
    .split(',')
    .map(item => item.trim().replace(/^W\//, ''))
    .some(item => item === '*' || item === tag);
}
