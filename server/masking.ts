/** What stands where a secret was. */
export const masked = '[secret]';

const textLengthMax = 2048;
const keptTextLength = 512;
/** More than is kept, so that no secret is cut in two before it is seen. */
const readLengthMax = 64 * 1024;
const listItemsMax = 100;
const depthMax = 32;

const secretWords =
  /(^|_)(password|passwd|passphrase|secret|secrets|token|tokens|credential|credentials|jwt|private_key|api_key|apikey|auth_key|pre_shared_key|psk|pin|otp|cookie|authorization|seed)(_|$)/;
/** Facts about a secret, which are none; and the cursors of lists. */
const harmlessNames = /(^|_)(page_token|(\w+_)?(id|ids|time|count|seconds|policy|type|kind|url))$/;

/** Whether a field or column of this name (snake or camel case) holds a secret by its nature. */
export function isSecretName(name: string): boolean {
  const snake = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
  return secretWords.test(snake) && !harmlessNames.test(snake);
}

const privateKeys =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const passwordHashes = /\$(?:[156y]|2[aby]|argon2(?:id|i|d)|scrypt)\$[^\s"';,]+/g;
/** As `makeSecretCode` makes them, and what is in cookies. */
const ownCodes = /\bmuster_(?:refresh|setup|join|local|reset|token|session)_[\w-]{16,}/g;
const urlPasswords = /(\/\/[^/@\s:]*):[^/@\s]+@/g;
const assignments =
  /((?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|psk)\w*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s;,"'}]+)/gi;

/** Free text (a configuration, a description, a sentence of an error): without what looks like a secret, and not longer than is useful. */
export function maskText(text: string): string {
  const clean = text
    .slice(0, readLengthMax)
    .toWellFormed()
    // PostgreSQL's jsonb knows no NUL.
    .replaceAll('\0', '\u{fffd}')
    .replaceAll(privateKeys, masked)
    .replaceAll(passwordHashes, masked)
    .replaceAll(ownCodes, masked)
    .replaceAll(urlPasswords, `$1:${masked}@`)
    .replaceAll(assignments, `$1${masked}`);
  return clean.length > textLengthMax
    ? `${clean.slice(0, keptTextLength).toWellFormed()}… (${text.length} characters)`
    : clean;
}

/** A copy as plain JSON: what has the name of a secret is masked, at any depth; long lists and texts are cut. */
export function maskValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskText(value);
  if (typeof value === 'bigint') return String(value);
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (depth >= depthMax) return '[too deep]';
  if (Array.isArray(value)) {
    const kept = value.slice(0, listItemsMax).map(item => maskValue(item, depth + 1));
    return value.length > listItemsMax ? [...kept, `… ${value.length - listItemsMax} more`] : kept;
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [maskText(name), maskNamed(name, item, depth)]),
  );
}

/** A file of an image is content that may be anything: its length is enough to see that it changed. */
function maskNamed(name: string, item: unknown, depth: number): unknown {
  if (isEmpty(item)) return item;
  if (isSecretName(name)) return masked;
  if (name === 'content' && typeof item === 'string') return `[${item.length} characters]`;
  return maskValue(item, depth + 1);
}

/** Whether a secret was given at all may be seen, and a yes or no is none. */
const isEmpty = (item: unknown): boolean =>
  item === '' || item === null || typeof item === 'boolean' || item === 0;
