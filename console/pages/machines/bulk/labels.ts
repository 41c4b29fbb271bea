const keyPattern = /^[a-zA-Z0-9]([a-zA-Z0-9_./-]{0,61}[a-zA-Z0-9])?$/;

/** "rack=r7, tier=cold" as labels, or what is wrong with it. */
export function parseLabels(text: string): {
  readonly labels: Record<string, string>;
  readonly error?: string;
} {
  const labels: Record<string, string> = {};
  for (const part of text.split(',').map(part => part.trim())) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const key = part.slice(0, at).trim();
    if (at < 0) return {labels, error: `“${part}” has no “=”: write KEY=VALUE`};
    if (!keyPattern.test(key))
      return {labels, error: `“${key}” is no key: letters, digits and _ . / - are`};
    labels[key] = part.slice(at + 1).trim();
  }
  return {labels};
}
