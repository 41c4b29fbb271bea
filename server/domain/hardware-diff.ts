import {
  identityOf,
  type ObservedPart,
  type Part,
  type PartKind,
  placeOf,
} from './hardware-parts.ts';

export type ChangeType = 'added' | 'removed' | 'replaced' | 'moved' | 'changed';

export type AttributeChange = {
  readonly name: string;
  readonly before: string;
  readonly after: string;
};

export type PartChange =
  | {readonly type: 'added'; readonly after: Part}
  | {readonly type: 'removed'; readonly before: Part}
  | {readonly type: 'replaced'; readonly before: Part; readonly after: Part}
  | {
      readonly type: 'moved' | 'changed';
      readonly before: Part;
      readonly after: Part;
      /** Serial and model are among the names; the slot is not. */
      readonly attributes: readonly AttributeChange[];
    };

export type ChangeCounts = Readonly<Record<ChangeType, number>>;

type Pair<B extends Part, A extends Part> = readonly [before: B, after: A];

/** Both lists are arranged. In the order of kinds and slots. */
export function diffParts(before: readonly Part[], after: readonly Part[]): readonly PartChange[] {
  const {same, replaced, removed, added} = pairParts(before, after);
  const changes: PartChange[] = [
    ...same.flatMap(compareParts),
    ...replaced.map(([old, fresh]) => ({type: 'replaced', before: old, after: fresh}) as const),
    ...removed.map(old => ({type: 'removed', before: old}) as const),
    ...added.map(fresh => ({type: 'added', after: fresh}) as const),
  ];
  return changes.sort((a, b) => compare(placeOf(subjectOf(a)), placeOf(subjectOf(b))));
}

/** The parts after these changes: what `diffParts` says is all there is to know. */
export function applyChanges(
  before: readonly Part[],
  changes: readonly PartChange[],
): readonly Part[] {
  const parts = new Map(before.map(part => [placeOf(part), part]));
  for (const change of changes) if ('before' in change) parts.delete(placeOf(change.before));
  for (const change of changes)
    if ('after' in change) parts.set(placeOf(change.after), change.after);
  return [...parts.values()];
}

/**
 * What a report says about the hardware, given what was known before. Kinds that could not be read are as they were, and so are values that
 * the same part does not tell this time: a tool that is missing in one image takes nothing away.
 */
export function settleParts(
  before: readonly Part[],
  reported: readonly ObservedPart[],
  unread: ReadonlySet<PartKind>,
): readonly ObservedPart[] {
  if (before.length === 0) return reported.filter(({kind}) => !unread.has(kind));
  const known = before.filter(({kind}) => !unread.has(kind));
  const {same, replaced, added} = pairParts(
    known,
    reported.filter(({kind}) => !unread.has(kind)),
  );
  return [
    ...before.filter(({kind}) => unread.has(kind)),
    ...same.map(([old, fresh]) => ({
      ...fresh,
      serial: fresh.serial || old.serial,
      model: fresh.model || old.model,
      attributes: {...old.attributes, ...fresh.attributes},
    })),
    ...replaced.map(([, fresh]) => fresh),
    ...added,
  ];
}

export function countChanges(changes: readonly PartChange[]): ChangeCounts {
  const counts = {added: 0, removed: 0, replaced: 0, moved: 0, changed: 0};
  for (const {type} of changes) counts[type] += 1;
  return counts;
}

/** Who is who: by serial, else by slot when nothing speaks against it, else by model alone when neither has a serial. */
function pairParts<B extends Part, A extends Part>(before: readonly B[], after: readonly A[]) {
  const olds = new Set(before);
  const news = new Set(after);
  const take = (
    keyOf: (part: Part) => string | undefined,
    fits: (old: Part, fresh: Part) => boolean = () => true,
  ): Pair<B, A>[] => {
    const byKey = Map.groupBy(news, keyOf);
    const pairs: Pair<B, A>[] = [];
    for (const old of olds) {
      const key = keyOf(old);
      const fresh = key === undefined ? undefined : byKey.get(key)?.[0];
      if (key === undefined || !fresh || !fits(old, fresh)) continue;
      byKey.get(key)?.shift();
      olds.delete(old);
      news.delete(fresh);
      pairs.push([old, fresh]);
    }
    return pairs;
  };
  const same = [
    ...take(part => (part.serial ? identityOf(part) : undefined)),
    ...take(placeOf, mayBeOne),
    ...take(part => (part.serial ? undefined : identityOf(part))),
  ];
  const replaced = take(placeOf);
  return {same, replaced, removed: [...olds], added: [...news]};
}

/** In one slot before and after. */
function mayBeOne(old: Part, fresh: Part): boolean {
  if (old.serial && fresh.serial) return old.serial === fresh.serial;
  return old.model === fresh.model || old.model === '' || fresh.model === '';
}

function compareParts([before, after]: Pair<Part, Part>): readonly PartChange[] {
  const [was, is] = [before, after].map(({serial, model, attributes}) => ({
    ...(serial ? {serial} : {}),
    ...(model ? {model} : {}),
    ...attributes,
  })) as [Record<string, string>, Record<string, string>];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  const attributes = names
    .map(name => ({name, before: was[name] ?? '', after: is[name] ?? ''}))
    .filter(({name}) => was[name] !== is[name]);
  if (before.slot !== after.slot) return [{type: 'moved', before, after, attributes}];
  return attributes.length > 0 ? [{type: 'changed', before, after, attributes}] : [];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The part to name when one has to be named. */
export const subjectOf = (change: PartChange): Part =>
  'after' in change ? change.after : change.before;
