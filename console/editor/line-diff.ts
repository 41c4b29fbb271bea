export type DiffLine = {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
  /** From 1; in the text that has the line, the newer one for those that are the same. */
  readonly number: number;
};
export type DiffPart = readonly DiffLine[] | {readonly skipped: number};

/** Beyond this many comparisons what is in the middle is shown as replaced. */
const comparisonsMax = 4_000_000;
const contextLines = 3;

/** What was taken away and what came, line by line; as few of them as possible. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (
    end < a.length - start &&
    end < b.length - start &&
    a[a.length - 1 - end] === b[b.length - 1 - end]
  )
    end += 1;
  const same = (text: string, index: number): DiffLine => ({kind: 'same', text, number: index + 1});
  return [
    ...b.slice(0, start).map(same),
    ...diffMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end), start),
    ...b.slice(b.length - end).map((text, index) => same(text, b.length - end + index)),
  ];
}

/** By the longest common subsequence. */
function diffMiddle(a: readonly string[], b: readonly string[], offset: number): DiffLine[] {
  const removed = (index: number): DiffLine => ({
    kind: 'removed',
    text: a[index] ?? '',
    number: offset + index + 1,
  });
  const added = (index: number): DiffLine => ({
    kind: 'added',
    text: b[index] ?? '',
    number: offset + index + 1,
  });
  if (a.length * b.length > comparisonsMax)
    return [...a.map((_, index) => removed(index)), ...b.map((_, index) => added(index))];

  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] =
        a[i] === b[j]
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);

  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length)
    if (a[i] === b[j]) {
      lines.push({...added(j), kind: 'same'});
      i += 1;
      j += 1;
    } else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) {
      lines.push(removed(i));
      i += 1;
    } else {
      lines.push(added(j));
      j += 1;
    }
  for (; i < a.length; i += 1) lines.push(removed(i));
  for (; j < b.length; j += 1) lines.push(added(j));
  return lines;
}

/** Without what is far from any change. */
export function foldSame(lines: readonly DiffLine[]): readonly DiffPart[] {
  const near = new Set<number>();
  for (const [index, {kind}] of lines.entries())
    if (kind !== 'same')
      for (let at = index - contextLines; at <= index + contextLines; at += 1) near.add(at);
  const parts: (DiffLine[] | {skipped: number})[] = [];
  for (const [index, line] of lines.entries()) {
    const last = parts.at(-1);
    if (near.has(index)) {
      if (Array.isArray(last)) last.push(line);
      else parts.push([line]);
    } else if (last && !Array.isArray(last)) last.skipped += 1;
    else parts.push({skipped: 1});
  }
  return parts;
}
