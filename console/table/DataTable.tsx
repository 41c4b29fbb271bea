import {useVirtualizer} from '@tanstack/react-virtual';
import {type ReactNode, useCallback, useEffect, useId, useRef} from 'react';
import {useMediaQuery} from '../hooks/use-media-query.ts';
import {Icon} from '../ui/icons.tsx';
import {nextOrder, type Order, parseOrder, type TableColumn} from './columns.ts';
import {TableRow} from './TableRow.tsx';
import {useRowKeys} from './use-row-keys.ts';
import {type Selection, useTableModel} from './use-table-model.ts';
import './table.css';

const overscanRows = 12;
/** Rows that are loaded before they are scrolled to: a few screens, unless a list says otherwise. */
const aheadRowsDefault = 400;
/** Shown after the last loaded row while the next page is on its way. */
const placeholderRows = 20;
const rowPx = 32;
const rowPhonePx = 48;
const selectPx = 36;

type DataTableProps<Row extends object> = {
  /** What is listed: "Machines". */
  readonly label: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly rowId: (row: Row) => string;
  /** How many there are in all, when that is known. */
  readonly total?: number | undefined;
  readonly visible?: ReadonlySet<string> | undefined;
  readonly hasMore?: boolean;
  readonly isLoading?: boolean;
  readonly isLoadingMore?: boolean;
  readonly onLoadMore?: () => void;
  readonly aheadRows?: number;
  readonly order?: string | undefined;
  readonly onOrder?: (order: string | undefined) => void;
  readonly selection?: Selection;
  readonly onSelect?: (selection: Selection) => void;
  readonly onOpen?: (row: Row) => void;
  /** Which loaded rows are on the screen, whenever that changes. */
  readonly onView?: (from: number, to: number) => void;
  /** In place of rows when there are none. */
  readonly empty?: ReactNode;
  /** Takes the height that the page has left, instead of growing with its rows. */
  readonly fills?: boolean;
};

/** The table of all lists. Only what is on the screen is in the document; `aria-rowcount` tells of the rest. */
export function DataTable<Row extends object>(props: DataTableProps<Row>) {
  const {label, rows, hasMore = false, onLoadMore, onView, fills = false} = props;
  const {aheadRows = aheadRowsDefault} = props;
  const scroller = useRef<HTMLDivElement>(null);
  const tableId = useId();
  const isPhone = useMediaQuery('(max-width: 640px)');
  const height = isPhone ? rowPhonePx : rowPx;
  const {table, shown, select, selectable} = useTableModel(props, isPhone);

  const loadedRows = table.getRowModel().rows;
  const isLoading = props.isLoading ?? false;
  const count = loadedRows.length + (hasMore || isLoading ? placeholderRows : 0);
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: overscanRows,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, height]);

  const items = virtualizer.getVirtualItems();
  const from = virtualizer.range?.startIndex ?? 0;
  const to = Math.min(virtualizer.range?.endIndex ?? 0, loadedRows.length - 1);
  useEffect(() => {
    if (hasMore && !props.isLoadingMore && to + aheadRows >= loadedRows.length) onLoadMore?.();
  }, [hasMore, props.isLoadingMore, to, aheadRows, loadedRows.length, onLoadMore]);
  useEffect(() => onView?.(from, to), [onView, from, to, rows]);

  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  // The same function for ever: rows are rendered again only when they change.
  const open = useCallback((index: number) => {
    const row = latest.current.rows[index];
    if (row) latest.current.onOpen?.(row);
  }, []);
  const keys = useRowKeys({
    count: loadedRows.length,
    pageRows: Math.max(1, to - from),
    onMove: index => virtualizer.scrollToIndex(index, {align: 'auto'}),
    onOpen: props.onOpen && open,
    onSelect: selectable ? select : undefined,
    onEscape: selectable ? () => props.onSelect?.(new Set()) : undefined,
  });

  const template = [
    ...(selectable ? [`${selectPx}px`] : []),
    ...shown.map(({widthPx, grows}) => (grows ? `minmax(${widthPx}px, 1fr)` : `${widthPx}px`)),
  ].join(' ');
  const widthPx = shown.reduce((sum, column) => sum + column.widthPx, selectable ? selectPx : 0);
  return (
    <div className={fills ? 'data-table fills' : 'data-table'} ref={scroller}>
      <div
        role="grid"
        aria-label={label}
        aria-rowcount={hasMore ? (props.total ?? -1) : loadedRows.length + 1}
        aria-colcount={shown.length + (selectable ? 1 : 0)}
        aria-multiselectable={selectable || undefined}
        aria-busy={isLoading || undefined}
        aria-activedescendant={keys.active >= 0 ? `${tableId}-${keys.active}` : undefined}
        tabIndex={0}
        onKeyDown={keys.onKeyDown}
        style={{['--columns' as string]: template, minWidth: widthPx}}
      >
        <TableHead
          columns={shown}
          order={parseOrder(props.order)}
          onOrder={props.onOrder}
          select={
            selectable && {
              all: table.getIsAllRowsSelected(),
              some: table.getIsSomeRowsSelected(),
              toggle: () => table.toggleAllRowsSelected(),
            }
          }
        />
        <div
          role="rowgroup"
          className="table-body"
          style={{height: virtualizer.getTotalSize()}}
          hidden={count === 0}
        >
          {items.map(item => {
            const row = loadedRows[item.index];
            return (
              <TableRow
                key={row?.id ?? `placeholder-${item.index}`}
                id={`${tableId}-${item.index}`}
                index={item.index}
                startPx={item.start}
                heightPx={height}
                row={row?.original}
                rowId={row?.id ?? ''}
                columns={shown}
                isActive={item.index === keys.active}
                isSelected={selectable ? (row?.getIsSelected() ?? false) : undefined}
                onSelect={select}
                onPoint={keys.setActive}
                onOpen={props.onOpen && open}
              />
            );
          })}
        </div>
      </div>
      {count === 0 && props.empty}
    </div>
  );
}

type HeadProps<Row> = {
  readonly columns: readonly TableColumn<Row>[];
  readonly order: Order | undefined;
  readonly onOrder: ((order: string | undefined) => void) | undefined;
  readonly select:
    | false
    | {readonly all: boolean; readonly some: boolean; readonly toggle: () => void};
};

function TableHead<Row>({columns, order, onOrder, select}: HeadProps<Row>) {
  return (
    <div role="rowgroup" className="table-head">
      <div role="row" aria-rowindex={1} className="table-row">
        {select && (
          <div role="columnheader" className="table-cell">
            <input
              type="checkbox"
              aria-label="Select all loaded rows"
              checked={select.all}
              ref={box => {
                if (box) box.indeterminate = select.some && !select.all;
              }}
              onChange={select.toggle}
            />
          </div>
        )}
        {columns.map(({id, header, orderBy, align}) => {
          const isOrdered = orderBy !== undefined && order?.field === orderBy;
          const direction = order?.descending ? 'descending' : 'ascending';
          return (
            <div
              key={id}
              role="columnheader"
              aria-sort={isOrdered ? direction : undefined}
              className={align ? 'table-cell end' : 'table-cell'}
            >
              {orderBy && onOrder ? (
                <button type="button" onClick={() => onOrder(nextOrder(order, orderBy))}>
                  {header}
                  {isOrdered && <Icon name={order.descending ? 'down' : 'up'} size={12} />}
                </button>
              ) : (
                header
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
