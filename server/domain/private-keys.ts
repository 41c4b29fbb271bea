/**
 * What images must never hold, for an answer at once. The builder looks again, at all that goes into an image, and with more patterns; it
 * shares no code with the server.
 */
const patterns: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['a PEM private key', /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/],
  ['a PuTTY private key', /^PuTTY-User-Key-File-\d+:/m],
  ['an age private key', /\bAGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20,}/i],
  [
    'an AWS secret access key',
    /aws_?secret_?access_?key["']?\s{0,20}[:=]\s{0,20}["']?[A-Za-z0-9/+]{40}/i,
  ],
  [
    'a WireGuard private key',
    /\bPrivateKey\s{0,20}=\s{0,20}(?:''|["'])?\s{0,20}[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=/i,
  ],
  ['a GitHub token', /\bgh[pousr]_[A-Za-z0-9]{36,}/],
  ['a Slack token', /\bxox[abprs]-[A-Za-z0-9-]{20,}/],
  ['a NATS seed', /\bS[UOANCXP][A-Z2-7]{56}\b/],
];

export type PrivateKey = {readonly what: string; readonly offset: number};

/** The first private thing that a text seems to hold; undefined when nothing is seen. A guard against slips, not against intent. */
export function locatePrivateKey(text: string): PrivateKey | undefined {
  const found = patterns.flatMap(([what, pattern]) => {
    const match = pattern.exec(text);
    return match ? [{what, offset: match.index}] : [];
  });
  return found.toSorted((a, b) => a.offset - b.offset)[0];
}

/** "an age private key" */
export const findPrivateKey = (text: string): string | undefined => locatePrivateKey(text)?.what;
