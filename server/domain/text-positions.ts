/** Line and column from 1; columns count UTF-16 units, as editors do. */
export function positionOf(
  text: string,
  offset: number,
): {readonly line: number; readonly column: number} {
  return {line: lineOf(text, offset), column: offset - text.lastIndexOf('\n', offset - 1)};
}

export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1))
    line += 1;
  return line;
}
