const binary: Readonly<Record<string, number>> = {k: 1, m: 2, g: 3, t: 4, p: 5};
const durationMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/** `64G` and `64GiB` are 64 × 1024³, `64GB` is 64 × 1000³; undefined when it is no number. */
export function parseNumber(text: string): number | undefined {
  const [, digits = '', unit = ''] =
    /^([+-]?\d{1,18}(?:\.\d{1,9})?)(?:([kmgtp])(?:(i?)b)?)?$/i.exec(text)?.slice(0, 3) ?? [];
  if (digits === '') return undefined;
  const power = binary[unit.toLowerCase()] ?? 0;
  const base = /[kmgtp]b$/i.test(text) ? 1000 : 1024;
  const value = Number(digits) * base ** power;
  return Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

/** A date, a time (UTC when it says no zone), or so long before now: `-7d`, `-90min`. Undefined when it is none. */
export function parseTime(text: string, now: Date): Date | undefined {
  const [, count, unit] = /^-(\d{1,6})(s|m|min|h|d|w)$/.exec(text) ?? [];
  if (count && unit)
    return known(new Date(now.getTime() - Number(count) * (durationMs[unit] ?? 0)));
  const full =
    /^(\d{4}-\d{2}-\d{2})(?:[Tt](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)([Zz]|[+-]\d{2}:\d{2})?)?$/.exec(
      text,
    );
  if (!full) return undefined;
  const [, date, time = '00:00', zone = 'Z'] = full;
  return known(new Date(`${date}T${time}${zone.toUpperCase()}`));
}

/** PostgreSQL knows no year 0, and nothing here is older. */
const known = (time: Date): Date | undefined => (time.getUTCFullYear() >= 1 ? time : undefined);

export function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}
