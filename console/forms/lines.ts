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

/** As machines.proto declares the keys of labels. */
const labelKeyPattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9_./-]{0,61}[a-zA-Z0-9])?$/;

/** "rack=r7", one a line, or with commas between them. The mistake names the part. */
export function parseLabels(
  text: string,
  separator: '\n' | ',' = '\n',
): {readonly labels: Record<string, string>; readonly mistake?: string} {
  const labels: Record<string, string> = {};
  for (const part of text.split(separator).map(part => part.trim())) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const key = part.slice(0, Math.max(0, at)).trim();
    if (at < 0) return {labels, mistake: `“${part}” is no label: write KEY=VALUE`};
    if (!labelKeyPattern.test(key))
      return {labels, mistake: `“${key}” is no key: letters, digits and _ . / - are`};
    if (key in labels) return {labels, mistake: `“${key}” stands there twice`};
    labels[key] = part.slice(at + 1).trim();
  }
  return {labels};
}
