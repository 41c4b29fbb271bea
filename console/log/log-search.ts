import {plainText} from './ansi.ts';

/** Of one look; more are counted, not walked through. */
export const matchesMax = 5_000;

/** Numbers of the lines (from 0) that have this text; case does not count. */
export function findLines(lines: readonly {readonly text: string}[], text: string): number[] {
  const wanted = text.toLowerCase();
  const found: number[] = [];
  if (wanted === '') return found;
  for (const [index, line] of lines.entries()) {
    if (!plainText(line.text).toLowerCase().includes(wanted)) continue;
    found.push(index);
    if (found.length >= matchesMax) break;
  }
  return found;
}

/** "12" or "12-40", as the address has it; from 1. */
export type LineRange = {readonly from: number; readonly to: number};

export function parseLines(text: string | undefined): LineRange | undefined {
  const match = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(text ?? '');
  if (!match) return undefined;
  const one = Number(match[1]);
  const other = Number(match[2] ?? one);
  return one < 1 || other < 1 ? undefined : {from: Math.min(one, other), to: Math.max(one, other)};
}

export const linesText = ({from, to}: LineRange): string =>
  from === to ? String(from) : `${from}-${to}`;

/** Where a text is in a piece, for marking it. */
export function splitMatches(
  text: string,
  wanted: string,
): readonly {readonly text: string; readonly isMatch: boolean}[] {
  const lower = text.toLowerCase();
  const needle = wanted.toLowerCase();
  // Lower case may be longer than the text was ("İ"): then places are not the same, and nothing is marked.
  if (needle === '' || lower.length !== text.length) return [{text, isMatch: false}];
  const parts: {text: string; isMatch: boolean}[] = [];
  let from = 0;
  for (;;) {
    const at = lower.indexOf(needle, from);
    if (at < 0) break;
    if (at > from) parts.push({text: text.slice(from, at), isMatch: false});
    parts.push({text: text.slice(at, at + needle.length), isMatch: true});
    from = at + needle.length;
  }
  if (from < text.length) parts.push({text: text.slice(from), isMatch: false});
  return parts;
}
