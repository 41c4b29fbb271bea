import {createClient} from '@connectrpc/connect';
import {BulkService} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import {
  type OperationChild,
  type OperationChild_State,
  OperationChild_StateSchema,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {RolloutService} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import {createBulkActions} from '@muster/server/domain/bulk-actions.ts';
import {createBulkWork} from '@muster/server/domain/bulk-work.ts';
import {createBulks} from '@muster/server/domain/bulks.ts';
import {createOperations} from '@muster/server/domain/operations.ts';
import {createWorkspaceMachines} from '@muster/server/domain/workspace-machines.ts';
import {createRollouts} from '@muster/server/domain/rollouts.ts';
import {bulkService} from '@muster/server/rpc/bulks.ts';
import {operationService} from '@muster/server/rpc/operations.ts';
import {rolloutService} from '@muster/server/rpc/rollouts.ts';
import type {Database} from '@muster/server/store/db.ts';
import {createTestBuilds, debianBuilder} from './builds.ts';
import {wireMachines} from './server-machines.ts';
import {serveInMemory} from './in-memory.ts';

const stateName = (state: OperationChild_State): string =>
  (
    OperationChild_StateSchema.values.find(({number}) => number === state)?.localName ?? ''
  ).toLowerCase();

const never = new AbortController().signal;
/** More than any test here needs: one that never ends fails by it. */
const turnsMax = 200;

/** Operations over many machines on this database, carried out when the test says so. Several may share it, as servers do. */
export async function createTestBulks(sql: Database, userId?: string) {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(await createTestBuilds(sql));
  const wired = await wireMachines(sql);
  const {machines, removal, commands, search, groups} = wired;
  const {deps, builds} = app;
  const log = silentLogger;
  const bus = {connected: true, since: new Date(0)};
  const bulks = createBulks({...deps, search, groups});
  const busStatus = () => bus;
  const workspaceMachines = createWorkspaceMachines(deps);
  const actions = createBulkActions({
    machines,
    workspaceMachines,
    removal,
    builds,
    commands,
    busStatus,
  });
  const listLiveBuilders = () => Promise.resolve([debianBuilder]);
  const work = createBulkWork({...deps, actions, listLiveBuilders, log});
  const operations = createOperations({
    ...deps,
    cancel: {bulk: bulks.cancel, rollout: bulks.cancel},
  });
  const caller = {name: 'user:alice', role: 'operator', address: '10.0.0.7'} as const;
  const transport = serveInMemory(
    ({service}) => {
      service(BulkService, bulkService(bulks));
      service(
        RolloutService,
        rolloutService(createRollouts({...deps, search, groups}), bulks.cancel),
      );
      service(OperationService, operationService(operations, bulks));
    },
    () => ({...caller, ...(userId ? {userId} : {})}),
  );
  const client = createClient(OperationService, transport);
  const get = async (id: string) => {
    const {operation} = await client.getOperation({id});
    if (!operation) throw new Error('An answer without an operation');
    return operation;
  };
  const children = async (operationId: string): Promise<readonly OperationChild[]> =>
    (await client.listOperationChildren({operationId, pageSize: 1000})).children;
  const owned = stack.move();
  return {
    ...app,
    ...wired,
    clock: wired.clock,
    deps,
    builds,
    /** As this server sees it. */
    bus,
    bulks,
    work,
    transport,
    operations: client,
    bulk: createClient(BulkService, transport),
    rollouts: createClient(RolloutService, transport),
    get,
    children,
    /** "succeeded Changed notes" and so on, in order. */
    told: async (id: string): Promise<readonly string[]> =>
      (await children(id)).map(({state, summary, error}) =>
        `${stateName(state)} ${error || summary}`.trim(),
      ),
    turn: (id: string) => work.drive(id, never),
    /** Until nothing more can be done now. */
    async drive(id: string) {
      for (let turns = 0; turns < turnsMax; turns += 1)
        if (!(await work.drive(id, never))) return get(id);
      throw new Error(`Operation ${id} goes on after ${turnsMax} turns`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export type TestBulks = Awaited<ReturnType<typeof createTestBulks>>;
