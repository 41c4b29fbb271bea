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
