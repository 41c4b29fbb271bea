/** As discovery.proto declares it for `csv`, in characters; a file of plain letters has as many bytes. */
export const csvBytesMax = 4 * 1024 * 1024;
/** As server/rpc/machine-csv.ts takes. */
export const csvRowsMax = 2000;

/** One record of the file, which may be several lines of it. */
export type CsvRow = {
  /** As an editor counts. */
  readonly line: number;
  /** Undefined when quotes in the wrong place make it unreadable. */
  readonly cells: readonly string[] | undefined;
  /** As it stands in the file. */
  readonly text: string;
};

export type CsvFile = {
  /** The line of headings; undefined in an empty file. */
  readonly headings: CsvRow | undefined;
  readonly rows: readonly CsvRow[];
};

/** For showing what the server will read, line by line; what is right and wrong about it is the server's word. */
export function readCsvFile(text: string): CsvFile {
  const physical = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const records: CsvRow[] = [];
  for (let start = 0; start < physical.length;) {
    if (physical[start]?.trim() === '') {
      start += 1;
      continue;
    }
    const {cells, lineCount} = readRecord(physical, start);
    const end = start + lineCount;
    records.push({line: start + 1, cells, text: physical.slice(start, end).join('\n')});
    start = end;
  }
  const [headings, ...rows] = records;
  return {headings, rows};
}

type Found = {readonly cells: readonly string[] | undefined; readonly lineCount: number};
const unreadable: Found = {cells: undefined, lineCount: 1};

/** What cannot be read ends with its first line, as the server has it. */
function readRecord(physical: readonly string[], start: number): Found {
  const cells: string[] = [];
  let rest = physical[start] ?? '';
  let lineCount = 1;
  for (;;) {
    const quoted = /^\s*"/.exec(rest)?.[0];
    if (quoted === undefined) {
      const [, cell = '', comma] = /^([^,]*)(,?)/.exec(rest) ?? [];
      if (cell.includes('"')) return unreadable;
      cells.push(cell.trim());
      if (comma !== ',') return {cells, lineCount};
      rest = rest.slice(cell.length + 1);
      continue;
    }
    let body = rest.slice(quoted.length);
    let closed = /^((?:[^"]|"")*)"\s*(,|$)/.exec(body);
    while (!closed) {
      const next = physical[start + lineCount];
      if (next === undefined || /^(?:[^"]|"")*"/.test(body)) return unreadable;
      body += `\n${next}`;
      lineCount += 1;
      closed = /^((?:[^"]|"")*)"\s*(,|$)/.exec(body);
    }
    const [all, cell = '', comma] = closed;
    cells.push(cell.replaceAll('""', '"'));
    if (comma !== ',') return {cells, lineCount};
    rest = body.slice(all.length);
  }
}
