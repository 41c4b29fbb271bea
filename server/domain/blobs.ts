import type {BlobStore} from '../clients/blob-store.ts';

export type {BlobRefusal, BlobStore} from '../clients/blob-store.ts';

/** SHA-256, lower-case hexadecimal. */
export const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

/** Whether a finished build's artifact is there whole. */
export const hasArtifact =
  (store: BlobStore) =>
  async (sha256: string, sizeBytes: number): Promise<boolean> =>
    isDigest(sha256) && (await store.stat(sha256))?.sizeBytes === sizeBytes;

export type ByteRange = {readonly start: number; readonly end: number};

/**
 * One range of a Range header (RFC 9110, 14.2), `end` inclusive. Undefined: the whole is to be sent, because there is no range or one that
 * servers may ignore (other units, several ranges, nonsense).
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? 'unsatisfiable' : {start: sizeBytes - length, end: sizeBytes - 1};
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= sizeBytes ? 'unsatisfiable' : {start, end};
}
