import {
  type ColumnDef,
  type RowSelectionState,
  rowSelectionFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import {useCallback, useEffect, useMemo, useRef} from 'react';
import type {TableColumn} from './columns.ts';

const features = tableFeatures({rowSelectionFeature});

export type Selection = ReadonlySet<string>;

type ModelInput<Row extends object> = {
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  readonly rowId: (row: Row) => string;
  readonly visible?: ReadonlySet<string> | undefined;
  readonly selection?: Selection;
  readonly onSelect?: (selection: Selection) => void;
};

/** Rows, columns that are shown, and what is selected. Order and filter are the server's. */
export function useTableModel<Row extends object>(input: ModelInput<Row>, isPhone: boolean) {
  const {columns, rows, rowId, visible, selection, onSelect} = input;
  const shown = useMemo(
    () =>
      columns.filter(
        column =>
          (visible ? visible.has(column.id) : !column.isExtra) && (!isPhone || column.onPhone),
      ),
    [columns, visible, isPhone],
  );
  const definitions = useMemo<ColumnDef<typeof features, Row>[]>(
    () => columns.map(({id, header}) => ({id, header})),
    [columns],
  );
  const rowSelection = useMemo<RowSelectionState>(
    () => Object.fromEntries([...(selection ?? [])].map(id => [id, true])),
    [selection],
  );
  const table = useTable<typeof features, Row>({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowId,
    state: {rowSelection},
    onRowSelectionChange: update => {
      const next = typeof update === 'function' ? update(rowSelection) : update;
      onSelect?.(new Set(Object.keys(next).filter(id => next[id])));
    },
  });

  const latest = useRef(table);
  useEffect(() => {
    latest.current = table;
  });
  const anchor = useRef(-1);
  /** With `isRange`, everything from the row before up to this one. */
  const select = useCallback((index: number, isRange: boolean) => {
    const all = latest.current.getRowModel().rows;
    const row = all[index];
    if (!row) return;
    if (isRange && anchor.current >= 0) {
      const [low, high] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
      latest.current.setRowSelection(old => ({
        ...old,
        ...Object.fromEntries(all.slice(low, high + 1).map(({id}) => [id, true])),
      }));
    } else row.toggleSelected();
    anchor.current = index;
  }, []);
  return {table, shown, select, selectable: onSelect !== undefined};
}
