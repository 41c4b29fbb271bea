import {randomUUID} from 'node:crypto';
import {CreateBulkRequest_Operation as Action} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import test from 'ava';
import {createTestMachine} from '../../test/helpers/builds.ts';
import {createTestBulks} from '../../test/helpers/bulks.ts';
import {startPostgres} from '../../test/helpers/postgres.ts';

test('machines are assigned to a workspace and released, within its quota', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  await using app = await createTestBulks(sql);
  const ids = await Promise.all([1, 2, 3, 4].map(() => createTestMachine(sql, 'enrolled')));
  await sql`update machines set state = 'ready' where id = any(${ids.slice(1)})`;
  const carryOut = async (request: Parameters<typeof app.bulk.createBulk>[0]) => {
    const {operation} = await app.bulk.createBulk(request);
    return app.drive(operation?.id ?? '');
  };
  const time = new Date();
  await sql`
    insert into workspaces (id, name, description, machines_max, create_time, update_time)
    values (${randomUUID()}, 'team-a', '', 2, ${time}, ${time})
  `;
  const request = {machineIds: ids, operation: Action.ASSIGN, workspace: 'team-a', concurrency: 1};
  await carryOut({...request, dryRun: true});
  t.is((await sql`select 1 from machines where workspace_id is not null`).length, 0);

  const assigned = await carryOut(request);
  t.like(assigned.children, {succeeded: 2, failed: 2});
  const told = await app.told(assigned.id);
  t.regex(told[0] ?? '', /^failed Cannot assign .*ready/i);
  t.is(told[1], 'succeeded Assigned to workspace "team-a"');
  t.regex(told[3] ?? '', /quota of 2 machines is used up/);
  t.is((await sql`select 1 from events where type = 'workspace.machine_assigned'`).length, 2);

  const released = await carryOut({...request, operation: Action.RELEASE});
  t.like(released.children, {succeeded: 2, failed: 2});
  t.is((await sql`select 1 from machines where workspace_id is not null`).length, 0);
});
