// What images must never hold: they are served without authentication to whoever asks.
const patterns: readonly (readonly [name: string, pattern: RegExp])[] = [
  // RFC 7468, OpenSSH and PGP: "-----BEGIN … PRIVATE KEY…-----".
  ['a PEM private key', /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/],
  ['a PuTTY private key', /^PuTTY-User-Key-File-\d+:/m],
  ['an age private key', /\bAGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20,}/i],
  ['an AWS secret access key', /aws_?secret_?access_?key["']?\s*[:=]\s*["']?[A-Za-z0-9/+]{40}/i],
  ['a WireGuard private key', /^\s*PrivateKey\s*=\s*[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=/m],
  ['a minisign or signify secret key', /^untrusted comment:.*secret key/im],
  ['a GitHub token', /\bgh[pousr]_[A-Za-z0-9]{36,}/],
  ['a Slack token', /\bxox[abprs]-[A-Za-z0-9-]{20,}/],
  ['a Google API private key', /"private_key"\s*:\s*"-----BEGIN/],
  ['a NATS seed', /\bS[UOANCXP][A-Z2-7]{56}\b/],
  ['a private JWK', /"kty"\s*:[^{}]*"d"\s*:\s*"[A-Za-z0-9_-]{20,}"/],
  ['a private JWK', /"d"\s*:\s*"[A-Za-z0-9_-]{20,}"[^{}]*"kty"\s*:/],
];

/** What private thing a text seems to hold ("an age private key"); undefined when nothing is seen. A guard against slips, not against intent. */
export const findPrivateKey = (text: string): string | undefined =>
  patterns.find(([, pattern]) => pattern.test(text))?.[0] ?? findInBase64(text);

const base64Block = /[A-Za-z0-9+/\n\r]{120,}={0,2}/g;
const blocksMax = 64;

/** The same keys once more in base64, as cloud-init and Kubernetes files carry them. */
function findInBase64(text: string): string | undefined {
  for (const [block] of [...text.matchAll(base64Block)].slice(0, blocksMax)) {
    const decoded = Buffer.from(block, 'base64').toString('latin1');
    const found = patterns.find(([, pattern]) => pattern.test(decoded))?.[0];
    if (found) return `${found} in base64`;
  }
  return undefined;
}
