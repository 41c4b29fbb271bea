import {memo, type MouseEvent} from 'react';
import type {TableColumn} from './columns.ts';

type TableRowProps<Row> = {
  readonly id: string;
  readonly index: number;
  readonly startPx: number;
  readonly heightPx: number;
  /** Undefined while its page is being loaded. */
  readonly row: Row | undefined;
  readonly rowId: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly isActive: boolean;
  /** Undefined when rows cannot be selected. */
  readonly isSelected: boolean | undefined;
  readonly onSelect: (index: number, isRange: boolean) => void;
  readonly onPoint: (index: number) => void;
  readonly onOpen: ((index: number) => void) | undefined;
};

function Row<T>(props: TableRowProps<T>) {
  const {id, index, startPx, heightPx, row, rowId, columns, isActive, isSelected} = props;
  const onClick = (event: MouseEvent) => {
    props.onPoint(index);
    const isInteractive = (event.target as Element).closest('a, button, input, label');
    if (isInteractive || !row) return;
    if (event.shiftKey && isSelected !== undefined) props.onSelect(index, true);
    else props.onOpen?.(index);
  };
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      aria-busy={row === undefined || undefined}
      className="table-row"
      data-active={isActive || undefined}
      data-row={rowId}
      style={{height: heightPx, transform: `translateY(${startPx}px)`}}
      onClick={onClick}
      onMouseDown={event => {
        // Selecting a range would mark text otherwise.
        if (event.shiftKey) event.preventDefault();
      }}
    >
      {isSelected !== undefined && (
        <div role="gridcell" className="table-cell">
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label="Select this row"
            checked={isSelected}
            disabled={row === undefined}
            onChange={() => undefined}
            onClick={event => props.onSelect(index, event.shiftKey)}
          />
        </div>
      )}
      {columns.map(column => (
        <div
          key={column.id}
          role="gridcell"
          className={column.align ? 'table-cell end' : 'table-cell'}
        >
          {row === undefined ? <span className="table-placeholder" /> : column.cell(row)}
        </div>
      ))}
    </div>
  );
}

/** A row is rendered again only when something of it changed, not with each scroll. */
export const TableRow = memo(Row) as typeof Row;
