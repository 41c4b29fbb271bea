import {createHash, randomBytes} from 'node:crypto';

const codeBytes = 32;

/** A secret that is shown once; only its digest is kept. 256 random bits need no slow hash. */
export type SecretCode = {readonly code: string; readonly sha256: Buffer};

/** The prefix says what it is, to people and to scanners of leaked secrets: "muster_refresh_…". */
export function makeSecretCode(
  kind: 'refresh' | 'setup' | 'join' | 'local' | 'reset' | 'token' | 'session',
): SecretCode {
  const code = `muster_${kind}_${randomBytes(codeBytes).toString('base64url')}`;
  return {code, sha256: digestCode(code)};
}

export function digestCode(code: string): Buffer {
  return createHash('sha256').update(code).digest();
}
