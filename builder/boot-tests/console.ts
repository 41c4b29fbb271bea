import {StringDecoder} from 'node:string_decoder';

/** What BootTest.console_tail may hold. */
export const consoleTailBytesMax = 16 * 1024;

/** Keeps the last lines of a serial console as printable text. */
export function createConsoleTail(bytesMax: number = consoleTailBytesMax) {
  let lines: string[] = [];
  let bytes = 0;
  return {
    add(line: string): void {
      const clean = printable(line);
      if (clean.trim() === '') return;
      lines.push(clean);
      bytes += clean.length + 1;
      while (bytes > bytesMax && lines.length > 1) bytes -= (lines.shift()?.length ?? 0) + 1;
    },
    text: (): string => lines.join('\n').slice(-bytesMax),
    clear(): void {
      lines = [];
      bytes = 0;
    },
  };
}

/** Without escape sequences (ECMA-48 CSI) and anything else that is not ASCII text. */
export const printable = (line: string): string =>
  // eslint-disable-next-line no-control-regex
  line.replace(/\u001b\[[0-9;?=]*[A-Za-z]/g, '').replace(/[^\x20-\x7e]/g, '');

const lineLengthMax = 4000;

/** Cuts output into lines. `onRest` is told what there is of one that has not ended yet. */
export function createLineReader({
  onLine,
  onRest,
}: {
  readonly onLine: (line: string) => void;
  readonly onRest: (text: string) => void;
}) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const pass = (line: string) => {
    const clean = printable(line);
    if (clean.trim() !== '') onLine(clean);
  };
  return {
    add(chunk: Buffer): void {
      const lines = (rest + decoder.write(chunk)).split(/[\r\n]+/);
      rest = lines.pop() ?? '';
      for (const line of lines) pass(line.slice(0, lineLengthMax));
      for (; rest.length > lineLengthMax; rest = rest.slice(lineLengthMax))
        pass(rest.slice(0, lineLengthMax));
      if (rest !== '') onRest(printable(rest));
    },
    end(): void {
      pass(rest);
      rest = '';
    },
  };
}

/** A text of bounded length: its beginning, and its end. Lines stay as they are. */
export function createBoundedLog(bytesMax: number) {
  const headBytesMax = Math.floor(bytesMax / 4);
  const tailBytesMax = bytesMax - headBytesMax - gapBytesMax;
  const head: string[] = [];
  const tail: string[] = [];
  let headBytes = 0;
  let tailBytes = 0;
  let leftOut = 0;
  return {
    add(line: string): void {
      const bytes = bytesOf(line);
      if (tail.length + leftOut === 0 && headBytes + bytes <= headBytesMax) {
        head.push(line);
        headBytes += bytes;
        return;
      }
      tail.push(line);
      tailBytes += bytes;
      for (; tailBytes > tailBytesMax; leftOut += 1) tailBytes -= bytesOf(tail.shift() ?? '');
    },
    text(): string {
      const gap = leftOut > 0 ? [`(${leftOut} lines left out)`] : [];
      return [...head, ...gap, ...tail].map(line => `${line}\n`).join('');
    },
  };
}

/** For the line that says what was left out. */
const gapBytesMax = 256;
/** With its end. */
const bytesOf = (line: string): number => Buffer.byteLength(line) + 1;
