const linesMax = 5000;
/** What one report may carry (BuildLog). */
const linesPerReportMax = 500;
const lineLengthMax = 4096;

/** Log lines that wait for the next report. When a program talks faster than reports go out, lines in the middle are left out and counted. */
export function createLogBuffer() {
  let lines: string[] = [];
  let leftOut = 0;

  return {
    add(line: string): void {
      if (lines.length < linesMax) lines.push(line.slice(0, lineLengthMax));
      else leftOut += 1;
    },

    /** The next lines to send; they stay until `drop`. */
    next(): readonly string[] {
      if (lines.length > 0) return lines.slice(0, linesPerReportMax);
      return leftOut > 0 ? [`(${leftOut} lines left out)`] : [];
    },

    /** The first `count` lines have arrived. */
    drop(count: number): void {
      if (lines.length > 0) lines = lines.slice(count);
      else leftOut = 0;
    },

    isEmpty: (): boolean => lines.length === 0 && leftOut === 0,
  };
}
