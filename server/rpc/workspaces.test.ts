import {randomUUID} from 'node:crypto';
import {setTimeout} from 'node:timers/promises';
import {Code, ConnectError} from '@connectrpc/connect';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import test from 'ava';
import {
  addMachine,
  type Site,
  startSite,
  unknownTarget,
} from '../../test/helpers/workspace-site.ts';
import {createTransitions} from '../domain/transitions.ts';
import type {MachineState} from '../store/machines.ts';

const beatMs = 250;

let site: Site;
test.before(async () => {
  site = await startSite();
});
test.after.always(() => site[Symbol.asyncDispose]());

const refused = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => undefined,
    (problem: unknown) => ConnectError.from(problem),
  );
  return error && [error.code, error.rawMessage];
};

async function newWorkspace(machinesMax = 0) {
  const {workspace: name} = unknownTarget();
  const {workspace} = await site.workspaces.createWorkspace({workspace: {name, machinesMax}});
  return {name, id: workspace?.id ?? ''};
}

async function newMachine(state: MachineState = 'ready'): Promise<string> {
  const target = unknownTarget();
  await addMachine(site.sql, target, state);
  return target.machineId;
}

test('a workspace is made, found by id and by name, changed one field at a time, and deleted when it is empty', async t => {
  const {workspaces} = site;
  const {name, id} = await newWorkspace(3);
  t.like((await workspaces.getWorkspace({id})).workspace, {name, machinesMax: 3, machineCount: 0});
  t.is((await workspaces.getWorkspace({id: name})).workspace?.id, id);
  const taken = workspaces.createWorkspace({workspace: {name}});
  t.is((await refused(taken))?.[0], Code.AlreadyExists);
  const likeAnId = workspaces.createWorkspace({workspace: {name: randomUUID()}});
  t.is((await refused(likeAnId))?.[0], Code.InvalidArgument);

  const change = {workspace: {id: name, description: 'tests', machinesMax: 9}};
  await workspaces.updateWorkspace({...change, updateMask: {paths: ['description']}});
  t.like((await workspaces.getWorkspace({id})).workspace, {description: 'tests', machinesMax: 3});
  t.is((await refused(workspaces.updateWorkspace(change)))?.[0], Code.InvalidArgument);

  const machineId = await newMachine();
  await workspaces.assignMachine({workspaceId: id, machineId});
  t.deepEqual(await refused(workspaces.deleteWorkspace({id})), [
    Code.FailedPrecondition,
    `Cannot delete workspace "${name}": 1 machines are assigned to it; release them first`,
  ]);
  await workspaces.releaseMachine({workspaceId: id, machineId});
  await workspaces.deleteWorkspace({id});
  t.is((await refused(workspaces.getWorkspace({id})))?.[0], Code.NotFound);
});

test('only ready and active machines are assigned and released, to one workspace at a time; each change is told once', async t => {
  const {workspaces, sql} = site;
  const [one, two] = [await newWorkspace(), await newWorkspace()];
  for (const state of ['pending', 'enrolled', 'provisioning', 'failed', 'retired'] as const) {
    const machineId = await newMachine(state);
    const assigned = workspaces.assignMachine({workspaceId: one.id, machineId});
    t.is((await refused(assigned))?.[0], Code.FailedPrecondition, state);
  }
  const machineId = await newMachine('active');
  const {machine} = await workspaces.assignMachine({workspaceId: one.name, machineId});
  t.is(machine?.workspaceId, one.id);
  await workspaces.assignMachine({workspaceId: one.id, machineId});
  const elsewhere = workspaces.assignMachine({workspaceId: two.id, machineId});
  t.regex(String((await refused(elsewhere))?.[1]), /release it there first$/);
  const wrong = workspaces.releaseMachine({workspaceId: two.id, machineId});
  t.is((await refused(wrong))?.[0], Code.NotFound);

  await sql`update machines set state = 'provisioning' where id = ${machineId}`;
  const busy = workspaces.releaseMachine({workspaceId: one.id, machineId});
  t.is((await refused(busy))?.[0], Code.FailedPrecondition);
  await sql`update machines set state = 'ready' where id = ${machineId}`;
  const {machine: free} = await workspaces.releaseMachine({workspaceId: one.id, machineId});
  t.is(free?.workspaceId, '');

  const events = await sql<{type: string; subject: string}[]>`
    select type, subject from events where machine_id = ${machineId} order by sequence
  `;
  t.deepEqual(
    events.map(({type, subject}) => [type, subject]),
    [
      ['workspace.machine_assigned', `workspaces/${one.id}`],
      ['workspace.machine_released', `workspaces/${one.id}`],
    ],
  );
  t.like(
    await sql`
      select method, actor, after from audit_entries
      where action = 'workspace.machine_assigned' and resource = ${`workspaces/${one.id}`}
    `,
    {length: 1, 0: {method: 'WorkspaceService.AssignMachine', actor: 'local'}},
  );
});

test('a machine that leaves service is in no workspace any more', async t => {
  const {id: workspaceId} = await newWorkspace();
  const machineId = await newMachine('active');
  await site.workspaces.assignMachine({workspaceId, machineId});
  const transitions = createTransitions({now: () => new Date(), newId: uuidv7});
  const move = (to: MachineState) =>
    site.sql.begin(tx =>
      transitions.transition(tx, {machineId, to, actor: 'local', reason: 'sold'}),
    );
  t.is((await move('retiring')).workspaceId, workspaceId);
  t.is((await move('retired')).workspaceId, undefined);
  t.like(
    await site.sql`
      select type from events where machine_id = ${machineId} and type = 'workspace.machine_released'
    `,
    {length: 1},
  );
  await site.workspaces.deleteWorkspace({id: workspaceId});
});

test('a quota holds when machines are assigned at the same time', async t => {
  const {workspaces} = site;
  const {id: workspaceId, name} = await newWorkspace(2);
  const machineIds = await Promise.all(Array.from({length: 6}, () => newMachine()));
  const outcomes = await Promise.all(
    machineIds.map(machineId => refused(workspaces.assignMachine({workspaceId, machineId}))),
  );
  t.is(outcomes.filter(outcome => outcome === undefined).length, 2);
  t.true(outcomes.every(outcome => !outcome || outcome[0] === Code.ResourceExhausted));
  t.is((await workspaces.getWorkspace({id: name})).workspace?.machineCount, 2);
});

test('a role in a workspace permits what it says there, and what holds everywhere goes on elsewhere', async t => {
  const [one, two] = [await newWorkspace(), await newWorkspace()];
  const [inOne, inTwo, free] = [await newMachine(), await newMachine(), await newMachine()];
  await site.workspaces.assignMachine({workspaceId: one.id, machineId: inOne});
  await site.workspaces.assignMachine({workspaceId: two.id, machineId: inTwo});
  const inside = {[one.id]: User_Role.VIEWER, [two.id]: User_Role.OPERATOR};

  const member = site.clientAs(MachineService, await site.person('mona', inside));
  const seen = await member.listMachines({});
  t.deepEqual(seen.machines.map(({id}) => id).toSorted(), [inOne, inTwo].toSorted());
  await member.labelMachine({id: inTwo, set: {a: 'b'}});
  t.is((await refused(member.labelMachine({id: inOne, set: {a: 'b'}})))?.[0], Code.NotFound);
  t.is((await refused(member.getMachine({id: free})))?.[0], Code.NotFound);

  const token = await site.person('vera', inside, User_Role.VIEWER);
  const viewer = site.clientAs(MachineService, token);
  t.is((await viewer.getMachine({id: free})).machine?.id, free);
  await viewer.labelMachine({id: inTwo, set: {a: 'c'}});
  t.is((await refused(viewer.labelMachine({id: free, set: {a: 'b'}})))?.[0], Code.NotFound);
});

test('who has which role is listed, told to oneself, and changed by the administrator of the workspace', async t => {
  const {id: workspaceId, name} = await newWorkspace();
  await site.person('walter');
  const token = await site.person('ada', {[workspaceId]: User_Role.ADMIN});
  const ada = site.clientAs(WorkspaceService, token);
  await ada.grantWorkspaceRole({workspaceId, userId: 'walter', role: User_Role.VIEWER});
  await ada.grantWorkspaceRole({workspaceId, userId: 'walter', role: User_Role.OPERATOR});
  const {members} = await ada.listWorkspaceMembers({workspaceId: name});
  t.deepEqual(
    members.map(({username, role}) => [username, role]),
    [
      ['ada', User_Role.ADMIN],
      ['walter', User_Role.OPERATOR],
    ],
  );
  const me = await site.clientAs(UserService, token).getCurrentUser({});
  t.like(me.user, {role: User_Role.MEMBER, workspaceRoles: {length: 1, 0: {workspace: name}}});

  await ada.revokeWorkspaceRole({workspaceId, userId: 'walter'});
  await ada.revokeWorkspaceRole({workspaceId, userId: 'walter'});
  await ada.revokeWorkspaceRole({workspaceId, userId: 'ada'});
  t.is((await refused(ada.listWorkspaceMembers({workspaceId})))?.[0], Code.PermissionDenied);
});

test('a role that is granted to somebody who is just being deleted is nobody’s', async t => {
  const {id: workspaceId} = await newWorkspace();
  const users = site.clientAs(UserService, site.local);
  for (let round = 0; round < 5; round += 1) {
    const userId = `gone-${round}`;
    await site.person(userId);
    const [granted, deleted] = await Promise.all([
      refused(site.workspaces.grantWorkspaceRole({workspaceId, userId, role: User_Role.VIEWER})),
      refused(users.deleteUser({id: userId})),
    ]);
    t.is(deleted, undefined);
    if (granted) t.is(granted[0], Code.NotFound);
  }
  t.deepEqual((await site.workspaces.listWorkspaceMembers({workspaceId})).members, []);
});

test('machines are searched and counted by workspace', async t => {
  const {id: workspaceId, name} = await newWorkspace();
  const [inside, free] = [await newMachine(), await newMachine()];
  await site.workspaces.assignMachine({workspaceId, machineId: inside});
  const everything = site.clientAs(MachineService, site.local);
  const find = async (filter: string) =>
    (await everything.listMachines({filter})).machines.map(({id}) => id);

  t.deepEqual(await find(`workspace = "${name}"`), [inside]);
  t.deepEqual(await find('workspace = "no-such"'), []);
  t.false((await find('workspace = ""')).includes(inside));
  t.true((await find('workspace = ""')).includes(free));
  const {facets} = await everything.listMachineFacets({fields: ['workspace'], valuesMax: 200});
  t.like(
    facets[0]?.values.find(({value}) => value === name),
    {count: 1n},
  );
});

test('an open stream tells no more of a workspace soon after the role in it is gone, and ends with the last one', async t => {
  t.timeout(60_000);
  const [one, two] = [await newWorkspace(), await newWorkspace()];
  const [inOne, inTwo] = [await newMachine(), await newMachine()];
  await site.workspaces.assignMachine({workspaceId: one.id, machineId: inOne});
  await site.workspaces.assignMachine({workspaceId: two.id, machineId: inTwo});
  const inside = {[one.id]: User_Role.VIEWER, [two.id]: User_Role.VIEWER};
  const events = site.clientAs(EventService, await site.person('sue', inside));
  const label = (id: string, value: string) =>
    site.clientAs(MachineService, site.local).labelMachine({id, set: {value}});
  const stream = events.watchEvents({typePrefix: 'machine.labelled'})[Symbol.asyncIterator]();
  const next = async () => {
    const {event} = (await stream.next()).value ?? {};
    return {machineId: event?.machineId, value: JSON.stringify(event?.data)};
  };
  // The server has let the stream in when it tells of one.
  const opened = next().then(() => 'open');
  for (let number = 0, state = ''; state !== 'open'; number += 1)
    state = await Promise.race([opened, label(inTwo, `try ${number}`).then(() => 'waiting')]);

  await site.workspaces.revokeWorkspaceRole({workspaceId: two.id, userId: 'sue'});
  const revoked = performance.now();
  for (let beat = 0, heard = true; heard; beat += 1) {
    t.true(performance.now() - revoked < 11_000, 'it tells of the other workspace no more');
    heard = false;
    await label(inTwo, `beat ${beat}`);
    await label(inOne, `beat ${beat}`);
    for (let event = await next(); event.machineId !== inOne; event = await next())
      heard ||= event.value.includes(`"beat ${beat}"`);
    // So that ten seconds are not ten thousand events.
    await setTimeout(beatMs);
  }

  const ended = refused(next());
  await site.workspaces.revokeWorkspaceRole({workspaceId: one.id, userId: 'sue'});
  t.is((await ended)?.[0], Code.PermissionDenied);
});
