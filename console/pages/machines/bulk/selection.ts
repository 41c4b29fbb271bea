/** Which machines an action means: those that are marked, or all that meet the filter. */
export type BulkSelection =
  | {readonly kind: 'ids'; readonly ids: readonly string[]}
  | {readonly kind: 'filter'; readonly filter: string; readonly count: number};

/** Of one operation (docs/bulk.md). */
export const bulkMachinesMax = 10_000;

export const countOf = (selection: BulkSelection): number =>
  selection.kind === 'ids' ? selection.ids.length : selection.count;

/** The request takes exactly one of both; every machine is meant by a condition that all meet. */
export const requestOf = (selection: BulkSelection) =>
  selection.kind === 'ids'
    ? {machineIds: [...selection.ids]}
    : {filter: selection.filter === '' ? 'id:*' : selection.filter};
