import {DomainError} from '../errors.ts';
import type {Artifact} from '../store/images.ts';

/** What a path within the image store names. */
export type ImagePath =
  | {readonly kind: 'image'; readonly id: string}
  /** A file of one of Muster's images, as edges serve it. */
  | {readonly kind: 'artifact'; readonly sha256: string}
  /** A disk image that an operator has put into the folder "images" of the image store. */
  | {readonly kind: 'file'; readonly name: string};

/** Disk images that operators put beside the blobs. */
export type DiskImages = {
  /** Copies the file into the image store, by content. Throws not_found or failed_precondition: a symbolic link, no file, too large. */
  take(name: string): Promise<Artifact>;
};

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$/;
const digestPattern = /^[0-9a-f]{64}$/;

/** Throws invalid_argument, with what is wrong, for everything that does not lie below "/images". */
export function parseImagePath(text: string): ImagePath {
  const refuse = (why: string): DomainError =>
    new DomainError(
      'invalid_argument',
      `Cannot use image_path "${text.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?')}": ${why}`,
    );
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) || text.startsWith('//'))
    throw refuse('it names another host; give a path within the image store, "/images/…"');
  if (/[^\x20-\x7e]|[\\%?#]/.test(text))
    throw refuse('it holds a character that no name in the image store has');
  const parts = text.replace(/^\//, '').split('/');
  if (parts.some(part => part === '..' || part === '.' || part === ''))
    throw refuse('a path within the image store holds no "." and "..", and no empty part');
  const [root, ...rest] = parts;
  if (root !== 'images')
    throw refuse(
      'it lies outside of the image store; give "/images/<image id>" or "/images/<name>"',
    );

  const [first = '', second = '', third = ''] = rest;
  if (rest.length === 1 && digestPattern.test(first)) return {kind: 'image', id: first};
  if (rest.length === 1 && namePattern.test(first)) return {kind: 'file', name: first};
  if (
    rest.length === 3 &&
    first === 'sha256' &&
    digestPattern.test(second) &&
    namePattern.test(third)
  )
    return {kind: 'artifact', sha256: second};
  throw refuse(
    'there is "/images/<image id>", "/images/sha256/<digest>/<name>" and "/images/<name>"',
  );
}
