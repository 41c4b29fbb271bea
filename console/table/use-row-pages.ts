import {useEffect, useMemo, useRef, useSyncExternalStore} from 'react';
import {createRowPages, type LoadedPage, type PagePlace, type RowPages} from './row-pages.ts';

/** The pages of what `load` asks for: other pages when it is another function. Until they are there, those of before are shown. */
export function useRowPages<Row>(
  load: (place: PagePlace, signal: AbortSignal) => Promise<LoadedPage<Row>>,
  countBefore: () => number | undefined,
): {readonly pages: RowPages<Row>; readonly shown: RowPages<Row>; readonly isOld: boolean} {
  const pages = useMemo(() => createRowPages(load, countBefore()), [load, countBefore]);
  const before = useRef(pages);
  useSyncExternalStore(pages.subscribe, pages.source);
  useEffect(() => {
    pages.want(0, 0);
    return () => pages.stop();
  }, [pages]);
  useEffect(() => {
    if (pages.isReady()) before.current = pages;
  });
  const isOld = !pages.isReady() && pages.error() === undefined && before.current !== pages;
  return {pages, shown: isOld ? before.current : pages, isOld};
}
