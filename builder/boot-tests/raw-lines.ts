import {StringDecoder} from 'node:string_decoder';

/** The last character of a piece that the next line goes on with: "end of transmission block", which terminals ignore (ImageTestLog). */
export const goesOn = '\u0017';
/** As UTF-8 at most three times as many bytes, so that a report of 500 fits into a message. */
const pieceCharactersMax = 2_000;
/** A prompt and a menu have no line end. */
const restAfterMs = 500;

/** NUL is padding, and PostgreSQL has no text with it. */
// oxlint-disable-next-line no-control-regex
const unwanted = /[\0\u0017]/g;
/** Of a surrogate pair, which no message may hold one half of. */
const firstHalf = /[\ud800-\udbff]/;

/**
 * Cuts a serial console into lines for a log, with everything that moves its cursor, colours or clears, so that a terminal can show what stood on the
 * screen. What has not ended within half a second is passed on as a piece. Ask `end` when the machine is off.
 */
export function createRawLines(onLine: (line: string) => void) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let isOpen = false;
  let timer: NodeJS.Timeout | undefined;

  const pass = (text: string, isWhole: boolean) => {
    let from = 0;
    while (text.length - from > pieceCharactersMax) {
      const to = from + pieceCharactersMax;
      const end = firstHalf.test(text.charAt(to - 1)) ? to - 1 : to;
      onLine(text.slice(from, end) + goesOn);
      from = end;
    }
    onLine(text.slice(from) + (isWhole ? '' : goesOn));
    isOpen = !isWhole;
  };
  const passRest = () => {
    if (rest !== '') pass(rest, false);
    rest = '';
  };
  return {
    add(chunk: Buffer): void {
      clearTimeout(timer);
      const lines = (rest + decoder.write(chunk).replaceAll(unwanted, '')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) pass(line.replace(/\r+$/, ''), true);
      if (rest.length > pieceCharactersMax) passRest();
      if (rest !== '') timer = setTimeout(passRest, restAfterMs);
    },
    end(): void {
      clearTimeout(timer);
      if (rest !== '' || isOpen) pass(rest, true);
      rest = '';
    },
  };
}
