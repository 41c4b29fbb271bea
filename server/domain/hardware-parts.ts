import {createHash} from 'node:crypto';

export const partKinds = [
  'system',
  'baseboard',
  'chassis',
  'firmware',
  'cpu',
  'memory',
  'dimm',
  'disk',
  'nic',
  'pci',
  'gpu',
  'tpm',
  'bmc',
] as const;
export type PartKind = (typeof partKinds)[number];

/** One line of an inventory as it is compared. After `arrangeParts` a kind has each slot once, and each serial of a model once. */
export type Part = {
  readonly kind: PartKind;
  readonly slot: string;
  /** Canonical (identifiers.ts); empty when there is none that tells this part from all others. */
  readonly serial: string;
  readonly model: string;
  /** Only values that last. */
  readonly attributes: Readonly<Record<string, string>>;
};

/** What a part is doing at the moment: for issues, never for versions. */
export type PartState = Readonly<Record<string, string | number>>;
export type ObservedPart = Part & {readonly state?: PartState};

/**
 * The canonical list: sorted, slots made unique, paths of one disk made one disk, and serials that several parts of the machine claim
 * taken away, because they tell nothing apart.
 */
export function arrangeParts(found: readonly ObservedPart[]): readonly ObservedPart[] {
  const parts = withoutSharedSerials(withoutSecondPaths([...found].sort(byText)));
  const taken = new Set<string>();
  return parts
    .map(part => {
      let {slot} = part;
      for (let count = 2; taken.has(`${part.kind}\n${slot}`); count += 1)
        slot = `${part.slot} #${count}`;
      taken.add(`${part.kind}\n${slot}`);
      return slot === part.slot ? part : {...part, slot};
    })
    .sort(byText);
}

/** A disk behind two controllers or cables shows twice, with one serial and one world-wide name. */
function withoutSecondPaths(parts: readonly ObservedPart[]): readonly ObservedPart[] {
  const seen = new Set<string>();
  return parts.filter(({kind, serial, attributes: {wwn, size_bytes: size}}) => {
    if (kind !== 'disk' || serial === '' || wwn === undefined) return true;
    const key = `${serial}\n${wwn}\n${size}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function withoutSharedSerials(parts: readonly ObservedPart[]): readonly ObservedPart[] {
  const counts = new Map<string, number>();
  for (const part of parts)
    if (part.serial) counts.set(identityOf(part), (counts.get(identityOf(part)) ?? 0) + 1);
  return parts.map(part =>
    part.serial && (counts.get(identityOf(part)) ?? 0) > 1 ? {...part, serial: ''} : part,
  );
}

/** What names a part with a serial anywhere: makers number alike, so the model belongs to it. */
export const identityOf = ({
  kind,
  serial,
  model,
}: {
  readonly kind: string;
  readonly serial: string;
  readonly model: string;
}): string => `${kind}\n${serial}\n${model}`;

export const placeOf = ({kind, slot}: Part): string => `${kind}\n${slot}`;

/** Equal hardware has an equal digest, whatever the order of lists and of names. */
export function digestParts(parts: readonly Part[]): Buffer {
  return createHash('sha256').update(parts.map(textOf).sort().join('\n')).digest();
}

const textOf = ({kind, slot, serial, model, attributes}: Part): string =>
  JSON.stringify([
    kind,
    slot,
    serial,
    model,
    Object.entries(attributes).sort(([a], [b]) => compare(a, b)),
  ]);

function byText(a: Part, b: Part): number {
  return (
    compare(a.kind, b.kind) ||
    compare(a.slot, b.slot) ||
    compare(a.serial, b.serial) ||
    compare(textOf(a), textOf(b))
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
