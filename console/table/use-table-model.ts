import {
  type ColumnDef,
  type RowSelectionState,
  rowSelectionFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import {useCallback, useEffect, useMemo, useRef} from 'react';
import type {TableColumn} from './columns.ts';
import type {RowSource} from './row-pages.ts';

const features = tableFeatures({rowSelectionFeature});

export type Selection = ReadonlySet<string>;

type ModelInput<Row extends object> = {
  readonly columns: readonly TableColumn<Row>[];
  readonly source: RowSource<Row>;
  /** What is in the document: of the others the model holds nothing. */
  readonly rendered: readonly Row[];
  readonly rowId: (row: Row) => string;
  readonly visible?: ReadonlySet<string> | undefined;
  readonly selection?: Selection | undefined;
  readonly onSelect?: ((selection: Selection) => void) | undefined;
  /** Marks all between two rows, of which some are not loaded. */
  readonly onSelectRange?: ((from: number, to: number) => void) | undefined;
};

const nothing: Selection = new Set();

/** Columns that are shown, and what is selected. Order and filter are the server's. */
export function useTableModel<Row extends object>(input: ModelInput<Row>, isPhone: boolean) {
  const {columns, source, rendered, rowId, visible, selection = nothing, onSelect} = input;
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
    () => Object.fromEntries([...selection].map(id => [id, true])),
    [selection],
  );
  const table = useTable<typeof features, Row>({
    features,
    columns: definitions,
    data: rendered,
    getRowId: rowId,
    state: {rowSelection},
    onRowSelectionChange: update => {
      const next = typeof update === 'function' ? update(rowSelection) : update;
      onSelect?.(new Set(Object.keys(next).filter(id => next[id])));
    },
  });

  const latest = useRef({...input, table});
  useEffect(() => {
    latest.current = {...input, table};
  });
  const anchor = useRef(-1);
  /** With `isRange`, everything from the row before up to this one. */
  const select = useCallback((index: number, isRange: boolean) => {
    const {source, rowId, table, onSelectRange} = latest.current;
    const row = source.rowAt(index);
    if (!row) return;
    const id = rowId(row);
    const [low, high] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
    if (isRange && anchor.current >= 0) {
      const ids = idsBetween({source, rowId}, low, high);
      if (ids) table.setRowSelection(old => ({...old, ...marked(ids)}));
      else onSelectRange?.(low, high);
    } else
      table.setRowSelection(({[id]: was = false, ...old}) => (was ? old : {...old, [id]: true}));
    anchor.current = index;
  }, []);

  const isSelectable = onSelect !== undefined;
  const loaded = useMemo(
    () => (isSelectable ? source.loadedRows().map(rowId) : []),
    [isSelectable, source, rowId],
  );
  const isAll =
    loaded.length > 0 && selection.size >= loaded.length && loaded.every(id => selection.has(id));
  return {
    shown,
    select,
    /** Of `rendered`, in its order. */
    rows: table.getRowModel().rows,
    selectable: isSelectable && {
      all: isAll,
      some: selection.size > 0,
      toggle: () => table.setRowSelection(isAll ? {} : marked(loaded)),
    },
  };
}

const marked = (ids: readonly string[]): RowSelectionState =>
  Object.fromEntries(ids.map(id => [id, true]));

/** Undefined when some are not loaded. */
function idsBetween<Row extends object>(
  {source, rowId}: Pick<ModelInput<Row>, 'source' | 'rowId'>,
  low: number,
  high: number,
): readonly string[] | undefined {
  const ids: string[] = [];
  for (let index = low; index <= high; index += 1) {
    const row = source.rowAt(index);
    if (!row) return undefined;
    ids.push(rowId(row));
  }
  return ids;
}
