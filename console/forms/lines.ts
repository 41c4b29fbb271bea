/** Lists in forms are typed as they are in files: one entry a line. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');

/** Names that hold no spaces may stand beside each other, too. */
export const wordsOf = (text: string): string[] => text.split(/[\s,]+/).filter(word => word !== '');

export const labelsText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n');

/** "rack=r7", one a line. The mistake names the line. */
export function parseLabels(text: string): {
  readonly labels: Record<string, string>;
  readonly mistake?: string;
} {
  const labels: Record<string, string> = {};
  for (const line of linesOf(text)) {
    const [, key, value = ''] = /^([a-zA-Z0-9][a-zA-Z0-9_./-]{0,62})\s*=\s*(.*)$/.exec(line) ?? [];
    if (key === undefined) return {labels, mistake: `“${line}” is no label: write KEY=VALUE`};
    if (key in labels) return {labels, mistake: `“${key}” stands there twice`};
    labels[key] = value;
  }
  return {labels};
}
