import {plainText} from './ansi.ts';

export type LogLine = {readonly text: string; readonly timeMs: number};

/** A line that ends in it goes on in the next (ImageTestLog): a prompt, a menu, or one that is very long. */
const goesOn = '\u0017';
/** Beyond this a line stays in pieces: a menu that is drawn again and again never ends one. */
const lineCharactersMax = 16_384;

/** Adds what came, pieces of a line put together. Each line that grows is a new object. */
export function joinLines(lines: LogLine[], texts: readonly string[], timeMs: number): void {
  for (const text of texts) {
    const last = lines.at(-1);
    if (last?.text.endsWith(goesOn) && last.text.length < lineCharactersMax)
      lines[lines.length - 1] = {...last, text: last.text.slice(0, -1) + text};
    else lines.push({text, timeMs});
  }
}

/** What a terminal was given already. */
export type Fed = {readonly count: number; readonly last: LogLine | undefined};
export const nothingFed: Fed = {count: 0, last: undefined};

/**
 * What a terminal has to be given next, so that it has had all lines in the order in which the machine wrote them. `isAnew`: it has to begin with
 * an empty screen, because the log did.
 */
export function feedOf(
  {lines, leftOut}: {readonly lines: readonly LogLine[]; readonly leftOut: number},
  fed: Fed,
): {readonly text: string; readonly isAnew: boolean; readonly fed: Fed} {
  const place = fed.count - leftOut - 1;
  const grown = place < 0 ? undefined : lines[place];
  const before = fed.last && written(fed.last);
  const goesOnThere =
    before !== undefined && grown !== undefined && written(grown).startsWith(before);
  const parts = goesOnThere
    ? [written(grown).slice(before.length), ...lines.slice(place + 1).map(written)]
    : lines.map(written);
  return {
    text: parts.join(''),
    isAnew: fed.count > 0 && !goesOnThere,
    fed: {count: lines.length + leftOut, last: lines.at(-1)},
  };
}

/** As the serial line carried it: the builder took line ends away. */
const written = ({text}: LogLine): string =>
  text.endsWith(goesOn) ? text.slice(0, -1) : `${text}\r\n`;

export const plainLines = (lines: readonly Pick<LogLine, 'text'>[]): string =>
  lines.map(({text}) => plainText(text)).join('\n');

/** As text, without colours and what moves the cursor. */
export function downloadLines(fileName: string, lines: readonly Pick<LogLine, 'text'>[]): void {
  const url = URL.createObjectURL(new Blob([`${plainLines(lines)}\n`], {type: 'text/plain'}));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(url);
}
