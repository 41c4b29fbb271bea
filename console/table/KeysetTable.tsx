import type {ComponentProps} from 'react';
import {ErrorState} from '../ui/states.tsx';
import {DataTable} from './DataTable.tsx';
import type {KeysetRows} from './use-keyset-rows.ts';

type KeysetTableProps<Row extends object> = Omit<
  ComponentProps<typeof DataTable<Row>>,
  'rows' | 'source' | 'hasMore' | 'isLoading' | 'isLoadingMore' | 'onLoadMore'
> & {
  readonly list: Omit<KeysetRows<Row, unknown>, 'first'>;
  /** Completes "Cannot …". */
  readonly attempt: string;
};

/** A list of the API as a table; what could not be loaded is said above what was. */
export function KeysetTable<Row extends object>({list, attempt, ...rest}: KeysetTableProps<Row>) {
  const problem = list.error && (
    <ErrorState error={list.error} attempt={attempt} onRetry={list.refresh} />
  );
  if (problem && list.rows.length === 0) return problem;
  return (
    <>
      {problem}
      <DataTable
        {...rest}
        rows={list.rows}
        hasMore={list.hasMore}
        isLoading={list.isLoading}
        isLoadingMore={list.isLoadingMore}
        onLoadMore={list.loadMore}
        question={list.question}
      />
    </>
  );
}
