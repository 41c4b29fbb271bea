import {createRandom} from './random.ts';

/** What goes wrong, and what Muster is expected to do about it (docs/simulate.md). */
export const faultKinds = [
  'flapping',
  'duplicate-uuid',
  'slow',
  'lying',
  'failing-disk',
  'clock-skew',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Of the fleet, by kind: 0.05 is every twentieth machine. */
export type FaultShares = Partial<Readonly<Record<FaultKind, number>>>;

const defaultShare = 0.05;

/** "flapping=10%,slow" or "all"; a kind without a share has 5 %. Throws with what is wrong. */
export function parseFaults(text: string): FaultShares {
  const shares: Partial<Record<FaultKind, number>> = {};
  for (const part of text.split(',').map(item => item.trim())) {
    if (part === '' || part === 'none') continue;
    const [name = '', share] = part.split('=');
    const kinds = name === 'all' ? faultKinds : faultKinds.filter(kind => kind === name);
    if (kinds.length === 0)
      throw new Error(`Cannot use fault "${name}": say ${faultKinds.join(', ')}, all or none`);
    for (const kind of kinds) shares[kind] = parseShare(name, share);
  }
  return shares;
}

function parseShare(name: string, text: string | undefined): number {
  if (text === undefined) return defaultShare;
  const match = /^(\d{1,3}(?:\.\d{1,3})?)%$/.exec(text.trim());
  const share = Number(match?.[1]) / 100;
  if (!match || share > 1)
    throw new Error(`Cannot use share "${text}" of fault "${name}": say for example "5%"`);
  return share;
}

/** The faults of one machine: by seed and number, each kind by itself, so that another kind's share changes nothing. */
export function faultsOf(seed: string, index: number, shares: FaultShares): ReadonlySet<FaultKind> {
  return new Set(
    faultKinds.filter(kind => createRandom(`${seed}/${index}/${kind}`).chance(shares[kind] ?? 0)),
  );
}

const skewMsMin = 60_000;
const skewMsMax = 2 * 3_600_000;

/** How far this machine's clock is off, in milliseconds; 0 without the fault. */
export function skewOf(seed: string, index: number, faults: ReadonlySet<FaultKind>): number {
  if (!faults.has('clock-skew')) return 0;
  const random = createRandom(`${seed}/${index}/skew`);
  const sign = random.chance(0.5) ? 1 : -1;
  return sign * random.integer(skewMsMin, skewMsMax);
}
