import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type {ConnectError} from '@connectrpc/connect';
import {callUnaryMethod, createConnectQueryKey, useTransport} from '@connectrpc/connect-query';
import {
  type InfiniteData,
  keepPreviousData,
  useInfiniteQuery,
  useQueryClient,
} from '@tanstack/react-query';
import {useCallback, useMemo} from 'react';

type PageInput = {pageSize?: number; pageToken?: string};

export type KeysetRows<Row, O> = {
  readonly rows: readonly Row[];
  readonly first: O | undefined;
  readonly error: ConnectError | null;
  readonly isLoading: boolean;
  /** Other rows than asked for are still shown: those of the question before. */
  readonly isOld: boolean;
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly loadMore: () => void;
  /** Something changed since the pages were loaded, and they are too many to load again unasked. */
  readonly isOutdated: boolean;
  readonly refresh: () => void;
  /** Changes what is held of each page, until it is loaded again. */
  readonly patch: (next: (page: O) => O) => void;
  readonly pageCount: number;
};

/** With more pages than these a change is announced instead of loading all of them again (live/invalidate.ts). */
export const pagesReloadedMax = 2;

/**
 * A list of the API, page after page by its tokens. `rowsOf` must be a stable function. With `isPatched` the page keeps the rows current
 * itself, and events do not load them again.
 */
export function useKeysetRows<I extends DescMessage, O extends DescMessage, Row>(
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I> & PageInput,
  rowsOf: (page: MessageShape<O>) => readonly Row[],
  {
    isPatched = false,
    later,
  }: {
    readonly isPatched?: boolean;
    /** What is asked for otherwise once there is a first page: more rows at a time, no total. */
    readonly later?: Partial<MessageInitShape<I> & PageInput>;
  } = {},
): KeysetRows<Row, MessageShape<O>> {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const queryKey = createConnectQueryKey({
    schema: method,
    input,
    transport,
    cardinality: 'infinite',
  });
  const query = useInfiniteQuery({
    queryKey,
    initialPageParam: '',
    queryFn: ({pageParam, signal}) =>
      callUnaryMethod(
        transport,
        method,
        {...input, ...(pageParam === '' ? {} : later), pageToken: pageParam},
        {signal},
      ),
    getNextPageParam: nextTokenOf,
    // Events say when it is stale.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    meta: {isPatched},
    placeholderData: keepPreviousData,
  });
  const {data, fetchNextPage, refetch} = query;
  const rows = useMemo(() => (data?.pages ?? []).flatMap(page => rowsOf(page)), [data, rowsOf]);
  const pageCount = data?.pages.length ?? 0;

  const key = JSON.stringify(queryKey);
  const change = useCallback(
    (next: (data: InfiniteData<MessageShape<O>>) => InfiniteData<MessageShape<O>>) =>
      queryClient.setQueryData(
        JSON.parse(key) as readonly unknown[],
        (old: InfiniteData<MessageShape<O>> | undefined) => old && next(old),
      ),
    [queryClient, key],
  );
  const patch = useCallback(
    (next: (page: MessageShape<O>) => MessageShape<O>) =>
      change(data => ({...data, pages: data.pages.map(page => next(page))})),
    [change],
  );
  const refresh = useCallback(() => {
    change(({pages, pageParams}) => ({
      pages: pages.slice(0, pagesReloadedMax),
      pageParams: pageParams.slice(0, pagesReloadedMax),
    }));
    void refetch();
  }, [change, refetch]);

  return {
    rows,
    first: data?.pages[0],
    error: query.error as ConnectError | null,
    isLoading: query.isPending,
    isOld: query.isPlaceholderData,
    hasMore: query.hasNextPage && !query.isPlaceholderData,
    isLoadingMore: query.isFetchingNextPage,
    loadMore: useCallback(() => void fetchNextPage({cancelRefetch: false}), [fetchNextPage]),
    isOutdated: query.isStale && pageCount > pagesReloadedMax,
    refresh,
    patch,
    pageCount,
  };
}

/** Every list of the contract has it; empty behind the last page. */
const nextTokenOf = (page: object): string | undefined =>
  'nextPageToken' in page && typeof page.nextPageToken === 'string' && page.nextPageToken !== ''
    ? page.nextPageToken
    : undefined;
