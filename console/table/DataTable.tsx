import {useVirtualizer} from '@tanstack/react-virtual';
import {type ReactNode, useCallback, useEffect, useId, useMemo, useRef} from 'react';
import {useMediaQuery} from '../hooks/use-media-query.ts';
import {Icon} from '../ui/icons.tsx';
import {nextOrder, type Order, parseOrder, type TableColumn} from './columns.ts';
import type {RowSource} from './row-pages.ts';
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

type Rows<Row> =
  | {readonly rows: readonly Row[]}
  /** In place of `rows` for a list that one can jump in; it loads what `onView` tells of. */
  | {readonly source: RowSource<Row>};

type DataTableProps<Row extends object> = Rows<Row> & {
  /** What is listed: "Machines". */
  readonly label: string;
  readonly columns: readonly TableColumn<Row>[];
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
  /** Marks all between two rows of which some are not loaded. */
  readonly onSelectRange?: (from: number, to: number) => void;
  readonly onOpen?: (row: Row) => void;
  /** With another one the list begins at its top again. */
  readonly question?: string;
  /** Which rows are on the screen, whenever that changes. */
  readonly onView?: (from: number, to: number) => void;
  /** In place of rows when there are none. */
  readonly empty?: ReactNode;
  /** Takes the height that the page has left, instead of growing with its rows. */
  readonly fills?: boolean;
};

/** The table of all lists. Only what is on the screen is in the document; `aria-rowcount` tells of the rest. */
export function DataTable<Row extends object>(props: DataTableProps<Row>) {
  const {label, hasMore = false, onLoadMore, onView, fills = false} = props;
  const {aheadRows = aheadRowsDefault} = props;
  const scroller = useRef<HTMLDivElement>(null);
  const tableId = useId();
  const isPhone = useMediaQuery('(max-width: 640px)');
  const height = isPhone ? rowPhonePx : rowPx;
  const source = useSource(props);
  const isLoading = props.isLoading ?? false;
  const isJumped = 'source' in props;
  const isEndOpen = !isJumped && hasMore;
  const count = source.count + (isEndOpen || isLoading ? placeholderRows : 0);
  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: overscanRows,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, height]);

  const items = virtualizer.getVirtualItems();
  const from = virtualizer.range?.startIndex ?? 0;
  const to = Math.max(0, Math.min(virtualizer.range?.endIndex ?? 0, source.count - 1));
  useEffect(() => {
    if (hasMore && !props.isLoadingMore && to + aheadRows >= source.count) onLoadMore?.();
  }, [hasMore, props.isLoadingMore, to, aheadRows, source.count, onLoadMore]);
  useEffect(() => onView?.(from, to), [onView, from, to, source]);

  const loaded = items.filter(({index}) => source.rowAt(index));
  const rendered = loaded.flatMap(({index}) => source.rowAt(index) ?? []);
  const {rows, shown, select, selectable} = useTableModel({...props, source, rendered}, isPhone);
  const modelOf = new Map(loaded.map(({index}, at) => [index, rows[at]]));
  const latest = useRef({source, onOpen: props.onOpen});
  useEffect(() => {
    latest.current = {source, onOpen: props.onOpen};
  });
  // The same function for ever: rows are rendered again only when they change.
  const open = useCallback((index: number) => {
    const row = latest.current.source.rowAt(index);
    if (row) latest.current.onOpen?.(row);
  }, []);
  const keys = useRowKeys({
    count: source.count,
    pageRows: Math.max(1, to - from),
    onMove: index => virtualizer.scrollToIndex(index, {align: 'auto'}),
    onOpen: props.onOpen && open,
    onSelect: selectable ? select : undefined,
    onEscape: selectable ? () => props.onSelect?.(new Set()) : undefined,
  });
  const {setActive} = keys;
  useEffect(() => {
    // By the virtualizer: it goes on with a jump that has not settled.
    if (scroller.current?.scrollTop) virtualizer.scrollToOffset(0);
    setActive(-1);
  }, [props.question, virtualizer, setActive]);

  const template = [
    ...(selectable ? [`${selectPx}px`] : []),
    ...shown.map(({widthPx, grows}) => (grows ? `minmax(${widthPx}px, 1fr)` : `${widthPx}px`)),
  ].join(' ');
  const widthPx = shown.reduce((sum, column) => sum + column.widthPx, selectable ? selectPx : 0);
  return (
    <div
      className={fills ? 'data-table fills' : 'data-table'}
      ref={scroller}
      // Where it was scrolled to belongs to what was asked: the router would take it along.
      data-scroll-restoration-id={encodeURIComponent(`${label} ${props.question ?? ''}`)}
    >
      <div
        role="grid"
        aria-label={label}
        aria-rowcount={isEndOpen ? rowCountOf(props.total) : source.count + 1}
        aria-colcount={shown.length + (selectable ? 1 : 0)}
        aria-multiselectable={selectable !== false || undefined}
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
          select={selectable}
        />
        <div
          role="rowgroup"
          className="table-body"
          style={{height: virtualizer.getTotalSize()}}
          hidden={count === 0}
        >
          {items.map(({index, start}) => {
            const row = modelOf.get(index);
            return (
              <TableRow
                key={index}
                id={`${tableId}-${index}`}
                index={index}
                startPx={start}
                heightPx={height}
                row={row?.original}
                rowId={row?.id ?? ''}
                columns={shown}
                isActive={index === keys.active}
                isSelected={selectable ? (row?.getIsSelected() ?? false) : undefined}
                onSelect={select}
                onPoint={setActive}
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

/** An array is a source of which all is loaded. */
function useSource<Row>(props: Rows<Row>): RowSource<Row> {
  const rows = 'rows' in props ? props.rows : none;
  const whole = useMemo(
    () => ({count: rows.length, rowAt: (index: number) => rows[index], loadedRows: () => rows}),
    [rows],
  );
  return 'source' in props ? props.source : whole;
}

const none: readonly never[] = [];

/** With the head; -1 is "not known". */
const rowCountOf = (total: number | undefined): number => (total === undefined ? -1 : total + 1);

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
