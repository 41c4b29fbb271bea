import type {ReactNode} from 'react';

export type TableColumn<Row> = {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  readonly widthPx: number;
  /** Takes what is left over; at least one column should. */
  readonly grows?: boolean;
  /** The field of `order_by`; without it the list cannot be ordered by this column. */
  readonly orderBy?: string;
  readonly align?: 'end';
  /** Whoever wants to see it chooses it. */
  readonly isExtra?: boolean;
  /** Stays on a phone. */
  readonly onPhone?: boolean;
  /** Cannot be hidden. */
  readonly isFixed?: boolean;
};

/** Columns as the address names them: `columns=hostname,state`; nothing is the usual ones. */
export function chosenColumns<Row>(
  columns: readonly TableColumn<Row>[],
  text: string | undefined,
): ReadonlySet<string> {
  const named = text === undefined ? undefined : new Set(text.split(','));
  return new Set(
    columns
      .filter(column => column.isFixed || (named ? named.has(column.id) : !column.isExtra))
      .map(column => column.id),
  );
}

/** The other way: undefined when the choice is the usual one, so that addresses stay short. */
export function columnsText<Row>(
  columns: readonly TableColumn<Row>[],
  chosen: ReadonlySet<string>,
): string | undefined {
  const usual = chosenColumns(columns, undefined);
  const isUsual = usual.size === chosen.size && [...usual].every(id => chosen.has(id));
  return isUsual
    ? undefined
    : columns
        .filter(({id}) => chosen.has(id))
        .map(({id}) => id)
        .join(',');
}

export type Order = {readonly field: string; readonly descending: boolean};

/** The first field of an `order_by`. */
export function parseOrder(text: string | undefined): Order | undefined {
  const [field = '', direction] = (text ?? '').split(',')[0]?.trim().split(/\s+/) ?? [];
  return field === '' ? undefined : {field, descending: direction === 'desc'};
}

/** What a click on a column's head asks for: up, down, as the server has it. */
export function nextOrder(order: Order | undefined, field: string): string | undefined {
  if (order?.field !== field) return field;
  return order.descending ? undefined : `${field} desc`;
}
