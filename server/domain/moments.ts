import {DomainError} from '../errors.ts';
import type {Span} from '../store/newest-first.ts';

const unitsMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** "24h", "90m", "30s", "7d". Throws invalid_argument. */
export function parseDurationMs(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const unitMs = unitsMs[match?.[2] ?? ''];
  if (!match || unitMs === undefined)
    throw new DomainError(
      'invalid_argument',
      `Cannot read duration "${text}": use for example "90m", "24h" or "7d"`,
    );
  return Number(match[1]) * unitMs;
}

/** A duration back from now, or a time; `otherwise` when it is empty. Throws invalid_argument. */
export function parseMoment(text: string, now: Date, otherwise: Date): Date {
  if (text === '') return otherwise;
  if (!text.includes('T')) return new Date(Math.max(0, now.getTime() - parseDurationMs(text)));
  const time = new Date(text);
  // The database has no year 0.
  if (Number.isNaN(time.getTime()) || time.getUTCFullYear() < 1)
    throw new DomainError('invalid_argument', `Cannot read time "${text}": there is no such time`);
  return time;
}

/** What a list is narrowed to. Throws invalid_argument. */
export function parseSpan({since, until}: {since: string; until: string}, now: Date): Span {
  const moment = (text: string) => (text === '' ? undefined : parseMoment(text, now, now));
  return {since: moment(since), until: moment(until)};
}
