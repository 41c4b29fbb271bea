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
  /** Another text when something else is asked for. */
  readonly question: string;
};

/** With more pages than these a change is announced instead of loading all of them again (live/invalidate.ts). */
export const pagesReloadedMax = 2;

/** A list of the API, page after page by its tokens. `rowsOf` must be a stable function. Lists that one jumps in are row-pages.ts. */
export function useKeysetRows<I extends DescMessage, O extends DescMessage, Row>(
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I> & PageInput,
  rowsOf: (page: MessageShape<O>) => readonly Row[],
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
      callUnaryMethod(transport, method, {...input, pageToken: pageParam}, {signal}),
    getNextPageParam: nextTokenOf,
    // Events say when it is stale.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    placeholderData: keepPreviousData,
  });
  const {data, fetchNextPage, refetch} = query;
  const rows = useMemo(() => (data?.pages ?? []).flatMap(page => rowsOf(page)), [data, rowsOf]);
  const pageCount = data?.pages.length ?? 0;

  const key = JSON.stringify(queryKey);
  const refresh = useCallback(() => {
    queryClient.setQueryData(
      JSON.parse(key) as readonly unknown[],
      (old: InfiniteData<MessageShape<O>> | undefined) =>
        old && {
          pages: old.pages.slice(0, pagesReloadedMax),
          pageParams: old.pageParams.slice(0, pagesReloadedMax),
        },
    );
    void refetch();
  }, [queryClient, key, refetch]);

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
    question: key,
  };
}

/** Every list of the contract has it; empty behind the last page. */
const nextTokenOf = (page: object): string | undefined =>
  'nextPageToken' in page && typeof page.nextPageToken === 'string' && page.nextPageToken !== ''
    ? page.nextPageToken
    : undefined;
