import type {ReactNode} from 'react';
import {Button} from '../ui/Button.tsx';
import type {KeysetRows} from './use-keyset-rows.ts';
import '../ui/blocks.css';

type MoreRowsProps = {
  readonly list: Pick<KeysetRows<unknown, unknown>, 'hasMore' | 'isLoadingMore' | 'loadMore'>;
  /** "Older ones" */
  readonly children: ReactNode;
};

/** Below rows that are no table: the way to the next page of them. */
export const MoreRows = ({list, children}: MoreRowsProps) =>
  list.hasMore && (
    <p className="rows-none">
      <Button busy={list.isLoadingMore} onClick={list.loadMore}>
        {children}
      </Button>
    </p>
  );
