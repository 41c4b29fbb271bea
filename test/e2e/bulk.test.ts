import {randomUUID} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {
  BulkService,
  CreateBulkRequest_Operation as Action,
} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  type Operation,
  Operation_State,
  OperationChild_State,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {ready, until} from '../helpers/processes.ts';

const machinesCount = 500;
const builtCount = 40;
const atATime = 20;
/** A build that was lost with the server is queued again after two minutes of silence. */
const operationTimeoutMs = 240_000;

async function addMachines(muster: Muster, count: number): Promise<readonly string[]> {
  const machines = muster.client(MachineService);
  const ids: string[] = [];
  const add = async () => {
    while (ids.length < count) {
      const place = ids.push('') - 1;
      const {machine} = await machines.createMachine({
        machine: {uuid: randomUUID(), imageConfig: {hostName: `m${place}`}},
      });
      ids[place] = machine?.id ?? '';
    }
  };
  await Promise.all(Array.from({length: atATime}, add));
  return ids;
}

/** `kill -9` each time so many children are over, and started again. */
async function runWithKills(
  muster: Muster,
  id: string,
  killsAt: readonly number[],
): Promise<Operation> {
  const over = async () => {
    const [row] = await muster.postgres.sql<{count: number}[]>`
      select count(*)::int as count from bulk_children where bulk_id = ${id} and end_time is not null
    `;
    return row?.count ?? 0;
  };
  for (const count of killsAt) {
    await until(`${count} machines`, async () => (await over()) >= count);
    await muster.server.stop('SIGKILL');
    muster.server.start();
    await ready(`${muster.serverUrl}/readyz`);
  }
  return until(
    'the operation',
    async () => {
      const {operation} = await muster.client(OperationService).getOperation({id});
      return operation?.endTime ? operation : undefined;
    },
    operationTimeoutMs,
  );
}

async function assertAllSucceeded(t: ExecutionContext, muster: Muster, {id, children}: Operation) {
  const counted = {succeeded: children?.succeeded, total: children?.total};
  t.is(counted.succeeded, counted.total, JSON.stringify(counted));
  const answer = await muster
    .client(OperationService)
    .listOperationChildren({operationId: id, pageSize: 1000});
  t.is(answer.children.length, counted.total ?? 0);
  for (const {state, error} of answer.children) t.is(state, OperationChild_State.SUCCEEDED, error);
  return answer.children;
}

test('a server killed again and again during a bulk of 500: each machine is changed exactly once', async t => {
  t.timeout(400_000);
  await using muster = await startMuster();
  const ids = await addMachines(muster, machinesCount);
  const {operation} = await muster.client(BulkService).createBulk({
    filter: 'state = EXPECTED',
    operation: Action.UPDATE,
    data: {notes: 'moved'},
  });
  t.is(operation?.children?.total, machinesCount);
  const over = await runWithKills(muster, operation?.id ?? '', [50, 200, 350]);
  t.is(over.state, Operation_State.SUCCEEDED);
  const children = await assertAllSucceeded(t, muster, over);
  t.deepEqual(children.map(({machineId}) => machineId).toSorted(), [...ids].toSorted());
  const events = await muster.postgres.sql<{machineId: string; count: number}[]>`
    select machine_id, count(*)::int as count from events where type = 'machine.updated' group by machine_id
  `;
  t.is(events.length, machinesCount);
  for (const {machineId, count} of events) t.is(count, 1, machineId);
  const entries = await muster.postgres.sql`
    select 1 from audit_entries where action = 'machine.updated' and call_id = ${over.id}
  `;
  t.is(entries.length, machinesCount);
});

test('a server killed during a bulk build: each machine gets exactly one build', async t => {
  t.timeout(400_000);
  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const machineIds = [...(await addMachines(muster, builtCount))];
  const {operation} = await muster
    .client(BulkService)
    .createBulk({machineIds, operation: Action.BUILD, concurrency: 5});
  const over = await runWithKills(muster, operation?.id ?? '', [5, 20]);
  t.is(over.state, Operation_State.SUCCEEDED);
  const children = await assertAllSucceeded(t, muster, over);
  const builds = await muster.postgres.sql<{id: string; machineId: string}[]>`
    select id, machine_id from builds where machine_id is not null
  `;
  t.deepEqual(
    builds.map(({id, machineId}) => `${machineId} ${id}`).toSorted(),
    children.map(({machineId, buildId}) => `${machineId} ${buildId}`).toSorted(),
  );
  t.is(new Set(builds.map(({machineId}) => machineId)).size, builtCount);
});
