import {DomainError} from '../errors.ts';
import {insertChildren} from '../store/bulk-children.ts';
import {countLiveBulks, insertBulk, notifyBulk} from '../store/bulks.ts';
import {appendEvent} from '../store/events.ts';
import {insertOperation} from '../store/operations.ts';
import {wavesOf} from './bulk-rules.ts';
import {chooseMachines, describeSelection, type Selection} from './bulk-selection.ts';
import {type BulkSpec, storedSpec} from './bulk-spec.ts';
import {created} from './changes.ts';
import type {Deps} from './deps.ts';
import type {Groups} from './groups.ts';
import type {MachineSearch} from './machine-search.ts';

const liveBulksMax = 50;

/** Who asks for it: looked at again before each machine. */
export type Requester = {
  readonly name: string;
  /** Of a person. */
  readonly userId: string | undefined;
  readonly address: string;
};

export type BulkOrder = {
  readonly selection: Selection;
  readonly spec: BulkSpec;
  readonly dryRun: boolean;
  readonly concurrency: number;
  /** Undefined: never too many. */
  readonly failuresMax: number | undefined;
  readonly machineLimitSeconds: number;
  /** Of a roll-out. */
  readonly waves?: {readonly canary: number; readonly size: (total: number) => number};
};

export type OpeningDeps = Deps & {
  readonly search: Pick<MachineSearch, 'choose'>;
  readonly groups: Pick<Groups, 'get'>;
};

/** One transaction: what the selection means now, the operation, a child for each machine, the event. Gives the operation's id. */
export const openBulk =
  ({sql, now, newId, search, groups}: OpeningDeps) =>
  (requester: Requester, order: BulkOrder): Promise<string> =>
    sql.begin(async tx => {
      const {selection, spec, dryRun, concurrency, failuresMax, machineLimitSeconds} = order;
      const live = await countLiveBulks(tx, liveBulksMax);
      if (live >= liveBulksMax)
        throw new DomainError(
          'resource_exhausted',
          `Cannot start: ${liveBulksMax} operations over many machines are under way already; wait for one or cancel it`,
        );
      const chosen = await chooseMachines(tx, selection, {search, getGroup: groups.get});
      const size = order.waves?.size(chosen.length) ?? chosen.length;
      const waves = wavesOf(chosen.length, {canary: order.waves?.canary ?? 0, waveSize: size});

      const id = newId();
      const time = now();
      const kind = spec.action === 'rollout' ? 'rollout' : 'bulk';
      const {name: actor, userId, address} = requester;
      const state = 'queued';
      await insertOperation(tx, {id, kind, state, machineId: undefined, actor, createTime: time});
      const words = describeSelection(selection);
      await insertBulk(tx, {
        id,
        action: spec.action,
        spec: storedSpec(spec),
        selection: words,
        actor,
        userId,
        address,
        dryRun,
        concurrency,
        failuresMax,
        waves: waves.at(-1) ?? 1,
        canary: order.waves?.canary ?? 0,
        machineLimitSeconds,
      });
      const children = chosen.map((child, index) => ({...child, wave: waves[index] ?? 1}));
      await insertChildren(tx, id, {children, time});
      const data = {action: spec.action, selection: words, machines: chosen.length, dryRun};
      await appendEvent(tx, {
        id: newId(),
        time,
        type: `${kind}.started`,
        actor,
        subject: `operations/${id}`,
        data,
        change: created({...data, ...storedSpec(spec), concurrency, failuresMax}),
      });
      await notifyBulk(tx, id);
      return id;
    });
