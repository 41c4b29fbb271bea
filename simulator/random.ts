import {createHash} from 'node:crypto';

/** Numbers that follow from their seed alone: the same seed gives the same machines on every host. */
export type Random = {
  /** From 0 up to 1. */
  next(): number;
  /** Both ends included. */
  integer(minimum: number, maximum: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** True in this share of the cases. */
  chance(share: number): boolean;
  text(alphabet: string, length: number): string;
  hex(length: number): string;
};

/** The generator "sfc32" of PractRand, 128 bits of state, begun with the SHA-256 of the seed. */
export function createRandom(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest();
  let [a, b, c, d] = [0, 4, 8, 12].map(at => digest.readInt32LE(at)) as [
    number,
    number,
    number,
    number,
  ];

  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 2 ** 32;
  };
  const integer = (minimum: number, maximum: number): number =>
    minimum + Math.floor(next() * (maximum - minimum + 1));
  const text = (alphabet: string, length: number): string =>
    Array.from({length}, () => alphabet[integer(0, alphabet.length - 1)] ?? '').join('');

  return {
    next,
    integer,
    pick: from => from[integer(0, from.length - 1)] ?? from[0],
    chance: share => next() < share,
    text,
    hex: length => text('0123456789abcdef', length),
  };
}
