import {useState} from 'react';
import {Button} from '../ui/Button.tsx';
import {plural} from '../ui/format.ts';

/** The API has no such filter: so many rows are looked through at a time. */
const lookedThroughStep = 1_000;

/** Where a filter of the page's own ends for now, so that it does not load all there is to find little. */
export function useLookedThrough(
  {rows, hasMore}: {readonly rows: readonly unknown[]; readonly hasMore: boolean},
  isFiltered: boolean,
) {
  const [max, setMax] = useState(lookedThroughStep);
  return {
    isCut: isFiltered && hasMore && rows.length >= max,
    count: rows.length,
    lookFurther: () => setMax(rows.length + lookedThroughStep),
  };
}

/** Says how far a filter of the page's own has looked, and goes on. */
export function LookFurther({
  looked: {isCut, count, lookFurther},
  noun,
}: {
  readonly looked: ReturnType<typeof useLookedThrough>;
  /** One of what is listed: "build". */
  readonly noun: string;
}) {
  if (!isCut) return null;
  return (
    <span className="muted">
      In the newest {plural(count, noun)}{' '}
      <Button kind="quiet" onClick={lookFurther}>
        Look further back
      </Button>
    </span>
  );
}
