import {DomainError} from '../errors.ts';
import {
  type BulkChild,
  type ChildCounts,
  type ChildState,
  countWaves,
  listChildren,
} from '../store/bulk-children.ts';
import {type Bulk, findBulk, lockBulk, notifyBulk} from '../store/bulks.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {findHeldImages} from '../store/held-images.ts';
import {type Operation, updateOperation} from '../store/operations.ts';
import {type BulkOrder, openBulk, type OpeningDeps, type Requester} from './bulk-opening.ts';
import {sumOf} from './bulk-rules.ts';
import {updated} from './changes.ts';
import {badPageToken} from './ids.ts';
import {isOver} from './operations.ts';
import {nextStepOfChild} from './rollout-view.ts';

const pageSizeDefault = 50;

export type Bulks = ReturnType<typeof createBulks>;

/** An operation over many machines, beside what every operation has. */
export type BulkView = Pick<Bulk, 'action' | 'selection' | 'dryRun'> & {
  readonly counts: ChildCounts;
};

export type ChildView = BulkChild & {
  /** What comes next, and why. */
  readonly nextStep: string;
};

/** What people do with operations over many machines; bulk-work.ts carries them out. */
export function createBulks(deps: OpeningDeps) {
  const {sql, now, newId} = deps;
  const open = openBulk(deps);

  /** Throws not_found. */
  async function get(id: string, tx: Sql = sql): Promise<Bulk> {
    const bulk = await findBulk(tx, id);
    if (!bulk)
      throw new DomainError('not_found', `Cannot find an operation over many machines "${id}"`);
    return bulk;
  }

  async function viewsOf(
    id: string,
    children: readonly BulkChild[],
  ): Promise<readonly ChildView[]> {
    const bulk = await findBulk(sql, id);
    if (!bulk) return [];
    const tested = children.filter(({step}) => step === 'testing');
    const held = await findHeldImages(
      sql,
      tested.flatMap(({machineId}) => machineId ?? []),
    );
    return children.map(child => {
      const {machineId, imageId} = child;
      const waits = held.find(row => row.machineId === machineId && row.imageId === imageId);
      return {...child, nextStep: nextStepOfChild(child, bulk, waits)};
    });
  }

  return {
    get,

    /** Throws invalid_argument, not_found (the group) or resource_exhausted. */
    create: async (requester: Requester, order: BulkOrder): Promise<Operation> =>
      (await get(await open(requester, order))).operation,

    /** Nothing further begins once this has returned; builds that it started are cancelled too. */
    cancel: (actor: string, id: string): Promise<void> =>
      sql.begin(async tx => {
        await lockBulk(tx, id, 'alone');
        const {operation} = await get(id, tx);
        const {kind, state, cancelRequested} = operation;
        if (isOver(state) || cancelRequested) return;
        await updateOperation(tx, id, {cancelRequested: true});
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: `${kind}.cancel_requested`,
          actor,
          subject: `operations/${id}`,
          change: updated({cancelRequested}, {cancelRequested: true}),
        });
        await notifyBulk(tx, id);
      }),

    /** Of those of these operations that are over many machines. */
    async views(operations: readonly Operation[]): Promise<ReadonlyMap<string, BulkView>> {
      const ids = operations
        .filter(({kind}) => kind === 'bulk' || kind === 'rollout')
        .map(({id}) => id);
      if (ids.length === 0) return new Map();
      const waves = await countWaves(sql, ids);
      const bulks = await Promise.all(ids.map(id => get(id)));
      return new Map(
        bulks.map(({id, action, selection, dryRun}) => {
          const counts = sumOf(waves.get(id) ?? []);
          return [id, {action, selection, dryRun, counts}];
        }),
      );
    },

    /** In the order in which they begin. `pageSize` 0 is 50. Empty for an operation on one machine. */
    async children(
      id: string,
      page: {
        readonly states: readonly ChildState[];
        readonly pageSize: number;
        readonly pageToken: string;
      },
    ): Promise<{readonly children: readonly ChildView[]; readonly nextPageToken: string}> {
      if (!/^\d{0,6}$/.test(page.pageToken)) throw badPageToken(page.pageToken);
      const limit = page.pageSize || pageSizeDefault;
      const {states} = page;
      const after = Number(page.pageToken || 0);
      const rows = await listChildren(sql, id, {states, after, limit: limit + 1});
      const children = await viewsOf(id, rows.slice(0, limit));
      const last = rows.length > limit ? children.at(-1) : undefined;
      return {children, nextPageToken: last ? String(last.number) : ''};
    },
  };
}
