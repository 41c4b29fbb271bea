import type {Logger} from '@muster/runtime/log.ts';
import {runInCall} from '../audited-call.ts';
import {DomainError} from '../errors.ts';
import {
  type BulkChild,
  type ChildChange,
  countChildren,
  countWaves,
  endQueuedChildren,
  listRunningChildren,
  takeQueuedChild,
  takeRunningChild,
  updateChild,
} from '../store/bulk-children.ts';
import {
  type Bulk,
  deleteBulksBefore,
  findBulk,
  listLiveBulks,
  lockBulk,
  takePlace,
  updateBulk,
} from '../store/bulks.ts';
import {isDatabaseUnavailable, type Sql, type Transaction} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {updateOperation} from '../store/operations.ts';
import type {LiveBuilder} from './build-rules.ts';
import type {Begun, BulkActions} from './bulk-actions.ts';
import {judgeBulk, progressOf, sumOf, type Verdict} from './bulk-rules.ts';
import {refusalOf} from './bulk-requester.ts';
import type {Deps} from './deps.ts';
import {isOver} from './operations.ts';

/** At a time in this server; each holds a connection. */
const lanesMax = 4;
/** In one turn, so that every live operation gets its turns. */
const begunInTurnMax = 100;
const followedInTurnMax = 100;
const liveBulksMax = 50;
/** One review leads to the next at most so often in a turn. */
const verdictsMax = 10;

export type BulkWork = ReturnType<typeof createBulkWork>;

/**
 * Carries out operations over many machines. Any number of servers may: what is done to a machine and what is told of it commit together, and
 * whoever does it holds the child's row, so a server that is killed leaves nothing half done and nothing to wait for.
 */
export function createBulkWork({
  sql,
  now,
  newId,
  actions,
  listLiveBuilders,
  log,
}: Deps & {
  readonly actions: BulkActions;
  readonly listLiveBuilders: () => Promise<readonly LiveBuilder[]>;
  readonly log: Logger;
}) {
  /** What is decided about the whole now, done. */
  const review = (id: string): Promise<Verdict | undefined> =>
    sql.begin(async tx => {
      await lockBulk(tx, id, 'alone');
      const bulk = await findBulk(tx, id);
      if (!bulk || isOver(bulk.operation.state)) return undefined;
      const waves = (await countWaves(tx, [id])).get(id) ?? [];
      const {cancelRequested} = bulk.operation;
      const refusal = await refusalOf(tx, bulk);
      const verdict = judgeBulk({...bulk, cancelRequested, refusal}, waves);
      const progressPercent = progressOf(sumOf(waves));
      await apply(tx, bulk, {verdict, progressPercent});
      return verdict;
    });

  async function apply(
    tx: Sql,
    bulk: Bulk,
    {verdict, progressPercent}: {verdict: Verdict; progressPercent: number},
  ): Promise<void> {
    const {id, operation} = bulk;
    const time = now();
    const start =
      operation.state === 'queued' ? {state: 'running' as const, startTime: time} : undefined;
    if (verdict.do === 'end') {
      const {state, error} = verdict;
      await updateOperation(tx, id, {...start, state, error, progressPercent: 100, endTime: time});
      await tell(tx, bulk, `${operation.kind}.${state}`, {error});
      return;
    }
    if (start || operation.progressPercent !== progressPercent)
      await updateOperation(tx, id, {...start, progressPercent});
    if (verdict.do === 'drop') {
      const {as: state, why: error} = verdict;
      await endQueuedChildren(tx, id, {state, error, time});
    }
    if (verdict.do === 'halt') {
      await updateBulk(tx, id, {hold: 'halted', holdReason: verdict.why});
      await tell(tx, bulk, 'rollout.halted', {reason: verdict.why});
    }
    if (verdict.do === 'open_wave') {
      await updateBulk(tx, id, {wave: verdict.wave});
      await tell(tx, bulk, 'rollout.wave_started', {wave: verdict.wave, waves: bulk.waves});
    }
  }

  const tell = (tx: Sql, {id}: Bulk, type: string, data: Record<string, unknown>): Promise<void> =>
    appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor: 'system',
      subject: `operations/${id}`,
      data,
    });

  /** The next machine, whole: what is done to it and what is told of it. False when none may begin now. */
  const beginNext = (
    {id, dryRun, action}: Bulk,
    builders: readonly LiveBuilder[],
  ): Promise<boolean> =>
    sql.begin(async tx => {
      // What goes on after the transaction is counted, and so begins one by one.
      const lasts = !dryRun && lasting.has(action);
      await lockBulk(tx, id, lasts ? 'alone' : 'shared');
      const bulk = await findBulk(tx, id);
      if (!bulk || !(await mayBegin(tx, bulk, lasts))) return false;
      const child = await takeQueuedChild(tx, id, bulk.wave);
      if (!child) return false;
      const time = now();
      const change = await begin(tx, {bulk, child, builders});
      await updateChild(tx, child, {startTime: time, ...ended(change, time), stepTime: time});
      return true;
    });

  async function mayBegin(tx: Sql, bulk: Bulk, lasts: boolean): Promise<boolean> {
    const {id, operation, hold, failuresMax, failuresForgiven, concurrency} = bulk;
    if (isOver(operation.state) || operation.cancelRequested || hold !== '') return false;
    if ((await refusalOf(tx, bulk)) !== '') return false;
    if (failuresMax !== undefined) {
      const limit = failuresMax + failuresForgiven + 1;
      if ((await countChildren(tx, id, {state: 'failed', limit})) >= limit) return false;
    }
    if (!lasts) return takePlace(tx, id, concurrency);
    return (await countChildren(tx, id, {state: 'running', limit: concurrency})) < concurrency;
  }

  /** What the use case refuses is the child's outcome, and is taken back alone. So is a dry run, whose outcome is what would have been. */
  async function begin(
    tx: Transaction,
    on: {readonly bulk: Bulk; readonly child: BulkChild; readonly builders: readonly LiveBuilder[]},
  ): Promise<ChildChange> {
    const {bulk, child, builders} = on;
    const {machineId = ''} = child;
    try {
      const begun = await inCallOf(bulk, () =>
        tx.savepoint(async inner => {
          const done = await actions.begin(inner, {bulk, machineId, builders});
          if (bulk.dryRun) throw new TakenBack(done);
          return done;
        }),
      );
      return {...begun, state: begun.step ? 'running' : 'succeeded'};
    } catch (error) {
      if (error instanceof TakenBack) return {state: 'succeeded', summary: error.begun.summary};
      return {state: 'failed', error: told(error, bulk, child)};
    }
  }

  const goOn = (id: string, number: number): Promise<void> =>
    sql.begin(async tx => {
      await lockBulk(tx, id, 'shared');
      const bulk = await findBulk(tx, id);
      const child = bulk && (await takeRunningChild(tx, id, number));
      if (!bulk || !child) return;
      const time = now();
      const change = await inCallOf(bulk, () =>
        tx.savepoint(inner => actions.goOn(inner, bulk, child, time)),
      ).catch((error: unknown): ChildChange => ({
        state: 'failed',
        step: '',
        error: told(error, bulk, child),
      }));
      if (Object.keys(change).length === 0) return;
      const stepTime = change.step && change.step !== child.step ? {stepTime: time} : {};
      await updateChild(tx, child, {...ended(change, time), ...stepTime});
    });

  /** Throws again what may go better at the next try. */
  function told(error: unknown, {id}: Bulk, {number, machineId}: BulkChild): string {
    if (error instanceof DomainError) return error.message;
    if (isDatabaseUnavailable(error) || isRetriable(error)) throw error;
    log.error({err: error, operationId: id, number, machineId}, 'bulk: unhandled error');
    return 'Internal error: the log of the server has it';
  }

  return {
    /** Operations that were over before this time, with what became of each machine: journal and audit keep what they told. */
    forget: (before: Date): Promise<void> => deleteBulksBefore(sql, before),

    live: (): Promise<readonly Bulk[]> => listLiveBulks(sql, liveBulksMax),

    /** One turn of one operation; true when it can use another at once. */
    async drive(id: string, signal: AbortSignal): Promise<boolean> {
      const known = await findBulk(sql, id);
      if (!known) return false;
      for (const {number} of await listRunningChildren(sql, id, followedInTurnMax)) {
        if (signal.aborted) return false;
        await goOn(id, number);
      }
      let verdict = await review(id);
      for (let count = 1; count < verdictsMax && verdict && moves.has(verdict.do); count += 1)
        verdict = await review(id);
      if (verdict?.do !== 'go') return false;

      const builders = await listLiveBuilders();
      let begun = 0;
      const lane = async () => {
        while (begun < begunInTurnMax && !signal.aborted) {
          begun += 1;
          if (await beginNext(known, builders)) continue;
          begun -= 1;
          return;
        }
      };
      await Promise.all(Array.from({length: lanesMax}, lane));
      return begun > 0;
    },
  };
}

/** After these a review has more to say. */
const moves: ReadonlySet<Verdict['do']> = new Set(['drop', 'halt', 'open_wave']);

/** Machines that have begun are not over in the same transaction. */
const lasting: ReadonlySet<Bulk['action']> = new Set(['build', 'reboot', 'rollout']);

/** Carries what was done out of the savepoint that takes it back. */
class TakenBack extends Error {
  readonly begun: Begun;
  constructor(begun: Begun) {
    super('A dry run');
    this.begun = begun;
  }
}

function ended(change: ChildChange, time: Date): ChildChange {
  const {state} = change;
  return state && state !== 'running' && state !== 'queued' ? {...change, endTime: time} : change;
}

/** The audit tells the changes as those of whoever asked for the operation, from where they asked. */
const inCallOf = <T>({id, action, actor, address}: Bulk, work: () => T): T =>
  runInCall(
    {
      id,
      caller: () => actor,
      address: () => address,
      method: action === 'rollout' ? 'RolloutService.CreateRollout' : 'BulkService.CreateBulk',
      request: () => undefined,
      // Bulks are for roles that hold everywhere: their methods have no workspace_scope.
      scope: () => 'everywhere',
      elapsedMs: () => 0,
      ended: false,
      told: new WeakSet(),
    },
    work,
  );

/** SQLSTATE class 40: a deadlock or a conflict that the next try does not meet. */
const isRetriable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^40...$/.test(String(error.code));
