import {DomainError} from '../errors.ts';
import {
  type ChildCounts,
  countChildren,
  countTesting,
  countWaves,
  requeueFailedChildren,
} from '../store/bulk-children.ts';
import {
  type Bulk,
  type BulkChange,
  findBulk,
  listBulks,
  lockBulk,
  notifyBulk,
  updateBulk,
} from '../store/bulks.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {type BulkOrder, openBulk, type OpeningDeps, type Requester} from './bulk-opening.ts';
import {machinesOfBulkMax, type Selection} from './bulk-selection.ts';
import {updated} from './changes.ts';
import {parsePageToken} from './ids.ts';
import type {OperatorChange} from './machines.ts';
import {isOver} from './operations.ts';
import {nextStepOf, type RolloutState, rolloutStateOf} from './rollout-view.ts';

const pageSizeDefault = 50;
const concurrencyDefault = 20;
/** As long as a READY machine may stay so before it shows as stuck. */
const machineLimitSecondsDefault = 30 * 60;
const wavesDefault = 4;

export type RolloutOrder = {
  readonly selection: Selection;
  readonly change: OperatorChange;
  readonly canary: number;
  /** Of all machines after the canary. Undefined: a quarter of all. */
  readonly wave: {readonly size: number} | {readonly percent: number} | undefined;
  readonly failuresMax: number;
  /** 0: the default, as with the limit. */
  readonly concurrency: number;
  readonly machineLimitSeconds: number;
  readonly dryRun: boolean;
};

export type Rollout = {
  readonly bulk: Bulk;
  readonly state: RolloutState;
  readonly nextStep: string;
  readonly canary: number;
  readonly waves: readonly {readonly wave: number; readonly counts: ChildCounts}[];
};

export type Rollouts = ReturnType<typeof createRollouts>;

/** What people do with roll-outs: operations over many machines that begin wave after wave (docs/bulk.md). */
export function createRollouts(deps: OpeningDeps) {
  const {sql, now, newId} = deps;
  const open = openBulk(deps);

  async function find(tx: Sql, id: string): Promise<Bulk> {
    const bulk = await findBulk(tx, id);
    if (bulk?.action === 'rollout') return bulk;
    throw new DomainError(
      'not_found',
      `Cannot find roll-out "${id}": "muster rollouts list" shows what there is`,
    );
  }

  async function viewsOf(bulks: readonly Bulk[]): Promise<readonly Rollout[]> {
    const ids = bulks.map(({id}) => id);
    const [counted, tested] = await Promise.all([countWaves(sql, ids), countTesting(sql, ids)]);
    return bulks.map(bulk => {
      const waves = counted.get(bulk.id) ?? [];
      const state = rolloutStateOf(bulk);
      const nextStep = nextStepOf(bulk, waves, tested.get(bulk.id) ?? 0);
      return {bulk, state, nextStep, canary: bulk.canary, waves};
    });
  }

  async function get(id: string): Promise<Rollout> {
    const [view] = await viewsOf([await find(sql, id)]);
    if (!view) throw new Error(`Roll-out "${id}" has no view`);
    return view;
  }

  /** Alone with the roll-out: no machine begins meanwhile. */
  const hold = (
    id: string,
    decide: (tx: Sql, bulk: Bulk) => Promise<{type: string; actor: string; change: BulkChange}>,
  ): Promise<void> =>
    sql.begin(async tx => {
      await lockBulk(tx, id, 'alone');
      const bulk = await find(tx, id);
      if (isOver(bulk.operation.state))
        throw new DomainError(
          'failed_precondition',
          `Cannot change roll-out "${id}": it is over (${bulk.operation.state})`,
        );
      const {type, actor, change} = await decide(tx, bulk);
      await updateBulk(tx, id, change);
      await appendEvent(tx, {
        id: newId(),
        time: now(),
        type,
        actor,
        subject: `operations/${id}`,
        data: {reason: change.holdReason ?? ''},
        change: updated(bulk, change),
      });
      await notifyBulk(tx, id);
    });

  return {
    get,

    /** Throws invalid_argument, not_found (the group) or resource_exhausted. */
    async create(requester: Requester, order: RolloutOrder): Promise<Rollout> {
      const {selection, change, canary, wave, dryRun, failuresMax} = order;
      const wanted: BulkOrder = {
        selection,
        spec: {action: 'rollout', change},
        dryRun,
        concurrency: order.concurrency || concurrencyDefault,
        failuresMax: dryRun ? undefined : failuresMax,
        machineLimitSeconds: order.machineLimitSeconds || machineLimitSecondsDefault,
        waves: {canary, size: total => waveSizeOf(total, wave)},
      };
      return get(await open(requester, wanted));
    },

    /** Newest first. `pageSize` 0 is 50. */
    async list({pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string}) {
      const limit = pageSize || pageSizeDefault;
      const before = parsePageToken(pageToken);
      const bulks = await listBulks(sql, {kind: 'rollout', before, limit: limit + 1});
      const nextPageToken = bulks.length > limit ? (bulks[limit - 1]?.id ?? '') : '';
      return {rollouts: await viewsOf(bulks.slice(0, limit)), nextPageToken};
    },

    async pause(actor: string, id: string, reason: string): Promise<Rollout> {
      await hold(id, async (_tx, bulk) => {
        if (bulk.hold === 'halted')
          throw new DomainError(
            'failed_precondition',
            `Cannot pause roll-out "${id}": it has halted by itself (${bulk.holdReason})`,
          );
        const holdReason = reason || `Paused by ${actor}`;
        return {type: 'rollout.paused', actor, change: {hold: 'paused', holdReason}};
      });
      return get(id);
    },

    /** What failed until now no longer counts; it is tried again when `retryFailed`. */
    async resume(requester: Requester, id: string, retryFailed: boolean): Promise<Rollout> {
      const {name: actor, userId, address} = requester;
      await hold(id, async (tx, bulk) => {
        if (bulk.hold === '')
          throw new DomainError(
            'failed_precondition',
            `Cannot resume roll-out "${id}": it is neither paused nor halted`,
          );
        if (retryFailed) await requeueFailedChildren(tx, id);
        const counting = {state: 'failed', limit: machinesOfBulkMax} as const;
        const failuresForgiven = await countChildren(tx, id, counting);
        const who = {actor, userId, address};
        const change = {hold: '', holdReason: '', failuresForgiven, ...who} as const;
        return {type: 'rollout.resumed', actor, change};
      });
      return get(id);
    },
  };
}

function waveSizeOf(total: number, wave: RolloutOrder['wave']): number {
  if (wave && 'size' in wave) return wave.size;
  const percent = wave ? wave.percent : 100 / wavesDefault;
  return Math.max(1, Math.ceil((total * percent) / 100));
}
