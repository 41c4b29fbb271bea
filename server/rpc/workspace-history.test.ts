import {randomBytes, randomUUID} from 'node:crypto';
import {Code, ConnectError} from '@connectrpc/connect';
import {BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ComponentService} from '@muster/proto/gen/muster/v1/components_pb.ts';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {SearchService} from '@muster/proto/gen/muster/v1/searches_pb.ts';
import {TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import test from 'ava';
import {addBuild, addTenant, type Site, startSite} from '../../test/helpers/workspace-site.ts';

let site: Site;
test.before(async () => {
  site = await startSite();
});
test.after.always(() => site[Symbol.asyncDispose]());

const codeOf = async (call: Promise<unknown>): Promise<Code | undefined> =>
  call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );

/** From one tenant to the next, as a person of the next one sees it. */
async function handOver() {
  const [before, after] = [
    await addTenant(site, {assigned: true}),
    await addTenant(site, {assigned: true}),
  ];
  const {machineId} = before;
  await site.workspaces.releaseMachine({workspaceId: before.workspaceId, machineId});
  await site.workspaces.assignMachine({workspaceId: after.workspaceId, machineId});
  const token = await site.person(`p-${randomBytes(4).toString('hex')}`, {
    [after.workspaceId]: User_Role.ADMIN,
  });
  return {before, after, machineId, token};
}

test('what a machine did for its workspace before is not told to the next one', async t => {
  const {before, machineId, token} = await handOver();
  t.is(await codeOf(site.clientAs(MachineService, token).getMachine({id: machineId})), undefined);

  const builds = site.clientAs(BuildService, token);
  t.deepEqual((await builds.listBuilds({machineId})).builds, []);
  t.is(await codeOf(builds.getBuild({id: before.buildId})), Code.NotFound);
  const images = site.clientAs(ImageService, token);
  t.is(await codeOf(images.getImage({id: before.imageId})), Code.NotFound);
  const boots = await site.clientAs(BootService, token).listBootSessions({machineId});
  t.deepEqual(boots.bootSessions, []);
  const metrics = site.clientAs(MetricsService, token);
  t.deepEqual((await metrics.listMetrics({machineId})).metrics, []);
  t.is(await codeOf(metrics.getLatestMetrics({machineId})), Code.NotFound);
  const {events} = await site.clientAs(EventService, token).listEvents({machineId});
  t.deepEqual(
    events.map(({type}) => type),
    ['workspace.machine_assigned'],
  );
  // What it is made of now is theirs to know.
  const hardware = site.clientAs(HardwareService, token);
  t.is((await hardware.listHardwareVersions({machineId})).versions.length, 1);
});

test('the newest metrics, which the server remembers, are told within the workspace only', async t => {
  const [own, other] = [
    await addTenant(site, {assigned: true}),
    await addTenant(site, {assigned: true}),
  ];
  const token = await site.person('metra', {[own.workspaceId]: User_Role.OPERATOR});
  for (const {machineId} of [own, other])
    await site
      .clientAs(MetricsService, site.local)
      .submitMetrics({machineId, metrics: {cpuUsagePercent: 77}});
  const metrics = site.clientAs(MetricsService, token);
  const {metrics: latest} = await metrics.getLatestMetrics({machineId: own.machineId});
  t.is(latest?.cpuUsagePercent, 77);
  t.is(await codeOf(metrics.getLatestMetrics({machineId: other.machineId})), Code.NotFound);
});

test('a part is followed through the machines of the workspace only', async t => {
  const {before, machineId, after, token} = await handOver();
  const components = site.clientAs(ComponentService, token);
  const elsewhere = await addTenant(site, {assigned: true});
  await site.sql`
    insert into component_stays (component_id, machine_id, slot, arrive_time, leave_time)
    values (${before.componentId}, ${elsewhere.machineId}, 'B7', now() - interval '2 days', now() - interval '1 day')
  `;
  const {component} = await components.getComponent({id: before.componentId});
  t.deepEqual(
    component?.path.map(stay => stay.machineId),
    [machineId],
  );
  // It moves into a machine of somebody else: here it only left.
  await site.sql`
    update component_stays set leave_time = now() where component_id = ${before.componentId} and leave_time is null
  `;
  await site.sql`
    insert into component_stays (component_id, machine_id, slot, arrive_time)
    values (${before.componentId}, ${elsewhere.machineId}, 'B8', now())
  `;
  const moved = (await components.getComponent({id: before.componentId})).component;
  t.like(moved, {machineId, slot: 'A1'});
  t.truthy(moved?.leaveTime);
  const {components: listed} = await components.listComponents({});
  t.deepEqual(
    listed.map(({id}) => id).toSorted(),
    [before.componentId, after.componentId].toSorted(),
  );
});

test('an event that names a machine of others says so without its id', async t => {
  const {machineId, before, token} = await handOver();
  const stranger = await addTenant(site, {assigned: true});
  await site.sql`
    insert into events (id, time, type, actor, machine_id, subject, data) values (
      ${randomUUID()}, now(), 'component.moved', ${`agent:${machineId}`}, ${machineId}, ${`components/${before.componentId}`},
      ${JSON.stringify({from: stranger.machineId, to: machineId})}::text::jsonb
    )
  `;
  await site.sql`select pg_notify('events', '')`;
  const events = site.clientAs(EventService, token).watchEvents({after: 0n, machineId});
  for await (const {event} of events) {
    if (event?.type !== 'component.moved') continue;
    t.deepEqual({...event.data}, {from: 'another machine', to: machineId});
    break;
  }
});

test('an image that was built for others first is told without its build', async t => {
  const {after, machineId, token, before} = await handOver();
  const images = site.clientAs(ImageService, token);
  t.is((await images.getImage({id: after.imageId})).image?.buildId, after.buildId);
  await site.sql`update machines set desired_image_id = ${before.imageId} where id = ${machineId}`;
  t.is((await images.getImage({id: before.imageId})).image?.buildId, '');

  const buildId = randomUUID();
  const imageId = randomBytes(32).toString('hex');
  await addBuild(site.sql, {buildId, machineId, imageId, serial: 'x'});
  t.is((await images.getImage({id: imageId})).image?.buildId, buildId);
});

test('an API token for one workspace is worth something there only, whoever made it', async t => {
  const [one, two] = [
    await addTenant(site, {assigned: true}),
    await addTenant(site, {assigned: true}),
  ];
  const session = await site.person('root', {}, User_Role.ADMIN);
  const tokens = site.clientAs(TokenService, session);
  const wanted = {name: 'ci', permission: Permission.OPERATE, workspaceId: one.workspace};
  const {token, apiToken} = await tokens.createApiToken(wanted);
  t.is(apiToken?.workspaceId, one.workspaceId);
  const machines = site.clientAs(MachineService, token);
  t.deepEqual(
    (await machines.listMachines({})).machines.map(({id}) => id),
    [one.machineId],
  );
  await machines.labelMachine({id: one.machineId, set: {ci: 'yes'}});
  t.is(await codeOf(machines.labelMachine({id: two.machineId, set: {}})), Code.NotFound);
  t.is(await codeOf(site.clientAs(UserService, token).listUsers({})), Code.PermissionDenied);

  // No more than its user may there, and nothing of a workspace that the user does not know.
  const viewer = await site.person('viewer', {[one.workspaceId]: User_Role.VIEWER});
  const own = site.clientAs(TokenService, viewer);
  t.is(await codeOf(own.createApiToken(wanted)), Code.InvalidArgument);
  const view = {...wanted, permission: Permission.VIEW};
  t.is(await codeOf(own.createApiToken({...view, workspaceId: two.workspace})), Code.NotFound);
  t.is(await codeOf(own.createApiToken({...view, workspaceId: 'no-such'})), Code.NotFound);
  const {token: mine} = await own.createApiToken(view);
  await site.workspaces.revokeWorkspaceRole({workspaceId: one.workspaceId, userId: 'viewer'});
  const late = site.clientAs(MachineService, mine).listMachines({});
  t.is(await codeOf(late), Code.PermissionDenied);
});

test('the image store and the searches of the whole site are not for members', async t => {
  const {token} = await handOver();
  for (const digest of ['0'.repeat(64), randomBytes(32).toString('hex')]) {
    const headers = {authorization: `Bearer ${token}`};
    const answer = await fetch(`${site.url}/blobs/sha256/${digest}`, {headers});
    t.is(answer.status, 403);
  }
  const search = {name: 'theirs', filter: 'state = ACTIVE', shared: true};
  await site.clientAs(SearchService, site.local).saveSearch({search});
  const searches = site.clientAs(SearchService, token);
  t.deepEqual((await searches.listSearches({})).searches, []);
  t.is(await codeOf(searches.getSearch({id: 'theirs'})), Code.NotFound);
  await searches.saveSearch({search: {...search, shared: false}});
  t.is((await searches.getSearch({id: 'theirs'})).search?.shared, false);
});

test('a user becomes a member and something else again', async t => {
  const users = site.clientAs(UserService, site.local);
  const token = await site.person('mia', {}, User_Role.VIEWER);
  const machines = site.clientAs(MachineService, token);
  t.is(await codeOf(machines.listMachines({})), undefined);
  await users.updateUser({id: 'mia', role: User_Role.MEMBER});
  t.is(await codeOf(machines.listMachines({})), Code.PermissionDenied);
  t.is(await codeOf(site.clientAs(UserService, token).getCurrentUser({})), undefined);
  await users.updateUser({id: 'mia', role: User_Role.VIEWER});
  t.is(await codeOf(machines.listMachines({})), undefined);
});
