/** A list whose rows may be anywhere between here and the server. */
export type RowSource<Row> = {
  /** Rows in all, as far as is known; those that are not loaded are shown as places. */
  readonly count: number;
  readonly rowAt: (index: number) => Row | undefined;
  /** In the order of the list, with what lies between left out. */
  readonly loadedRows: () => readonly Row[];
};

/** Where a page begins: after a token, with rows that are passed over. */
export type PagePlace = {
  readonly pageToken: string;
  readonly skip: number;
  readonly pageSize: number;
  readonly isFirst: boolean;
};

export type LoadedPage<Row> = {
  readonly rows: readonly Row[];
  readonly nextPageToken: string;
  /** Of the first page. */
  readonly total?: number | undefined;
};

type Held<Row> = LoadedPage<Row> & {readonly isOld: boolean};

/** Few, so that they are there at once; then as many as a fling of the wheel passes while they are on their way. */
const firstRows = 200;
const pageRows = 500;
/** Rows that are loaded before they are scrolled to: a fling of the wheel passes some 500 a second. */
const aheadRows = 1000;
/** Of rows: whoever reads the whole list holds no more of it at a time. */
const pagesMax = 12;
const loadsMax = 2;

const startOf = (page: number): number => (page === 0 ? 0 : firstRows + (page - 1) * pageRows);
const pageAt = (index: number): number =>
  index < firstRows ? 0 : 1 + Math.floor((index - firstRows) / pageRows);

export type RowPages<Row> = ReturnType<typeof createRowPages<Row>>;

/**
 * The pages of a long list that are on the screen or near it. What is far away is forgotten; where pages begin is kept, so that going on is a page
 * by its token, and a jump passes over what lies between.
 */
export function createRowPages<Row>(
  load: (place: PagePlace, signal: AbortSignal) => Promise<LoadedPage<Row>>,
  /** As many as there were the last time: whoever comes back finds the place again. */
  countBefore = 0,
) {
  const readers = new Set<() => void>();
  const pages = new Map<number, Held<Row>>();
  /** After which token each page begins. */
  const tokens = new Map([[0, '']]);
  const loading = new Set<number>();
  let stopping = new AbortController();
  let view: readonly [number, number] = [0, 0];
  let source: RowSource<Row> = {count: countBefore, rowAt, loadedRows};
  let error: unknown;
  let isReady = false;

  return {
    subscribe(reader: () => void): () => void {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    /** Another one whenever something of it is another. */
    source: () => source,
    error: () => error,
    /** There is a first page. */
    isReady: () => isReady,

    /** These rows are on the screen. */
    want(from: number, to: number): void {
      view = [from, to];
      pump();
    },
    /** All anew, from what is on the screen; until then what was is shown. */
    reload(): void {
      stop();
      error = undefined;
      for (const [number, page] of pages) pages.set(number, {...page, isOld: true});
      tokens.clear();
      tokens.set(0, '');
      change(source.count);
      pump();
    },
    /** Until they are loaded again. */
    patch(next: (row: Row) => Row): void {
      for (const [number, page] of pages) pages.set(number, {...page, rows: page.rows.map(next)});
      change(source.count);
    },
    stop,
  };

  function stop(): void {
    stopping.abort();
    stopping = new AbortController();
    loading.clear();
  }

  function rowAt(index: number): Row | undefined {
    const page = pageAt(index);
    return pages.get(page)?.rows[index - startOf(page)];
  }

  function loadedRows(): readonly Row[] {
    const numbers = [...pages.keys()].toSorted((a, b) => a - b);
    return numbers.flatMap(number => pages.get(number)?.rows ?? []);
  }

  function change(count: number): void {
    source = {count, rowAt, loadedRows};
    for (const reader of readers) reader();
  }

  /** Whatever is missing, what is on the screen first. */
  function pump(): void {
    while (loading.size < loadsMax && error === undefined) {
      const page = nextMissing();
      if (page === undefined) return;
      loading.add(page);
      void fetchPage(page, stopping.signal);
    }
  }

  function nextMissing(): number | undefined {
    const isMissing = (page: number) =>
      !loading.has(page) &&
      (pages.get(page)?.isOld ?? true) &&
      startOf(page) < Math.max(1, source.count);
    // It tells how many there are, and what the pages after it are like.
    const first = pages.get(0);
    if (!tokens.has(1) && (!first || first.isOld)) return isMissing(0) ? 0 : undefined;
    const [from, to] = view;
    for (const [low, high] of [
      [from, to],
      [to, to + aheadRows],
      [from - aheadRows, from],
    ] as const)
      for (let page = pageAt(Math.max(0, low)); page <= pageAt(Math.max(0, high)); page += 1)
        if (isMissing(page)) return page;
    return undefined;
  }

  async function fetchPage(number: number, signal: AbortSignal): Promise<void> {
    const near = [...tokens.keys()]
      .filter(known => known <= number)
      .reduce((a, b) => Math.max(a, b), 0);
    const place = {
      pageToken: tokens.get(near) ?? '',
      skip: startOf(number) - startOf(near),
      pageSize: number === 0 ? firstRows : pageRows,
      isFirst: number === 0,
    };
    try {
      const page = await load(place, signal);
      if (signal.aborted) return;
      take(number, page);
    } catch (problem) {
      if (signal.aborted) return;
      error = problem;
    }
    loading.delete(number);
    pump();
    change(source.count);
  }

  function take(number: number, page: LoadedPage<Row>): void {
    const start = startOf(number);
    const end = start + page.rows.length;
    const isLast = page.nextPageToken === '';
    isReady = true;
    if (number === 0)
      for (const [other, {isOld}] of pages) if (isOld && !isNear(other)) pages.delete(other);
    pages.set(number, {...page, isOld: false});
    if (!isLast) tokens.set(number + 1, page.nextPageToken);
    source = {...source, count: countWith({start, end, isLast, total: page.total})};
    forget();
  }

  /** The total is a wish until the end of the list was seen: it is estimated, and rows come and go. */
  function countWith({
    start,
    end,
    isLast,
    total,
  }: {
    readonly start: number;
    readonly end: number;
    readonly isLast: boolean;
    readonly total: number | undefined;
  }): number {
    const known = total ?? source.count;
    if (isLast) return end > start || start === 0 ? end : Math.min(known, start);
    return Math.max(known, end + 1);
  }

  function isNear(page: number): boolean {
    const [from, to] = view;
    return page >= pageAt(Math.max(0, from - aheadRows)) && page <= pageAt(to + aheadRows);
  }

  /** The pages that are the farthest from the screen. */
  function forget(): void {
    const middle = pageAt((view[0] + view[1]) / 2);
    const byDistance = [...pages.keys()].toSorted(
      (a, b) => Math.abs(a - middle) - Math.abs(b - middle),
    );
    for (const page of byDistance.slice(pagesMax)) pages.delete(page);
  }
}
