import {randomBytes, randomUUID} from 'node:crypto';
import type {DescService} from '@bufbuild/protobuf';
import type {Client} from '@connectrpc/connect';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {User_Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {createComponents} from '@muster/server/domain/components.ts';
import {createHardware} from '@muster/server/domain/hardware.ts';
import {createIssues} from '@muster/server/domain/issues.ts';
import {arrangeParts} from '@muster/server/domain/hardware-parts.ts';
import {completeTest} from '@muster/server/domain/image-test-rules.ts';
import {subjectOf} from '@muster/server/domain/image-tests.ts';
import {buildLogs} from '@muster/server/store/build-logs.ts';
import {insertBuild} from '@muster/server/store/builds.ts';
import type {Database} from '@muster/server/store/db.ts';
import {insertImageTest} from '@muster/server/store/image-tests.ts';
import {insertMachine, type MachineState} from '@muster/server/store/machines.ts';
import {insertOperation} from '@muster/server/store/operations.ts';
import {password} from './people.ts';
import {addImage} from './server-machines.ts';
import {bearer, startTestServer} from './test-server.ts';

export type Site = Awaited<ReturnType<typeof startSite>>;

/** The whole server on a database of its own, for people of several workspaces. No NATS. */
export async function startSite() {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer());
  const {sql, url} = server;
  const clientAs = <T extends DescService>(service: T, token: string): Client<T> =>
    server.client(service, bearer(token));
  const local = await server.localToken();
  const deps = {sql, now: () => new Date(), newId: uuidv7};
  const [components, issues] = [createComponents(deps), createIssues(deps)];
  const hardware = createHardware({...deps, components, issues, versionsOfMachineMax: 100});
  const owned = stack.move();
  return {
    sql,
    url,
    clientAs,
    local,
    hardware,
    issues,
    workspaces: clientAs(WorkspaceService, local),
    /** Signed in; a member has roles only in the workspaces given. */
    async person(
      username: string,
      inside: Readonly<Record<string, User_Role>> = {},
      role: User_Role = User_Role.MEMBER,
    ) {
      await clientAs(UserService, local).createUser({username, password, role});
      for (const [workspaceId, role] of Object.entries(inside))
        await clientAs(WorkspaceService, local).grantWorkspaceRole({
          workspaceId,
          userId: username,
          role,
        });
      return (await clientAs(SessionService, '').login({username, password})).token;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What somebody may name in a request: of a machine, of nobody, or of a workspace. */
export type Target = Readonly<
  Record<
    | 'workspace'
    | 'workspaceId'
    | 'machineId'
    | 'serviceTag'
    | 'hostname'
    | 'buildId'
    | 'imageId'
    | 'imageTestId'
    | 'issueId'
    | 'componentId'
    | 'serial'
    | 'username',
    string
  >
>;

export const unknownTarget = (): Target => {
  const name = `n${randomBytes(6).toString('hex')}`;
  return {
    workspace: name,
    workspaceId: randomUUID(),
    machineId: randomUUID(),
    serviceTag: `TAG${name.toUpperCase()}`,
    hostname: `host-${name}`,
    buildId: randomUUID(),
    imageId: randomBytes(32).toString('hex'),
    imageTestId: randomUUID(),
    issueId: randomUUID(),
    componentId: randomUUID(),
    serial: `DIMM${name.toUpperCase()}`,
    username: name,
  };
};

/** A machine that has been in service for a while: inventory, build with log, image, issue, boot, samples. Assigned when it says so. */
export async function addTenant(site: Site, {assigned}: {assigned: boolean}): Promise<Target> {
  const target = unknownTarget();
  const {workspace: name, machineId} = target;
  const {workspace} = assigned
    ? await site.workspaces.createWorkspace({workspace: {name}})
    : {workspace: undefined};
  await addMachine(site.sql, target, 'active');
  if (workspace) await site.workspaces.assignMachine({workspaceId: name, machineId});

  const username = workspace ? target.username : '';
  const componentId = await addHardware(site, target);
  await addBuild(site.sql, target);
  await addImageTest(site.sql, target);
  await addIssue(site, target);
  await addBoot(site.sql, target);
  const metrics = {cpuUsagePercent: 12};
  await site.clientAs(MetricsService, site.local).submitMetrics({machineId, metrics});
  return {...target, workspaceId: workspace?.id ?? target.workspaceId, username, componentId};
}

export async function addMachine(
  sql: Database,
  {machineId, serviceTag, hostname}: Pick<Target, 'machineId' | 'serviceTag' | 'hostname'>,
  state: MachineState,
): Promise<void> {
  const now = new Date();
  await insertMachine(sql, {
    id: machineId,
    state,
    serviceTag,
    hostname,
    trust: 'approved',
    templates: [{name: 'base-server', version: 0, parameters: {}}],
    stateTime: now,
    createTime: now,
    updateTime: now,
  });
}

async function addHardware({sql, hardware}: Site, {machineId, serial}: Target): Promise<string> {
  const summary = {
    cpuThreads: 8,
    cpuModel: `cpu of ${serial}`,
    memoryBytes: 1024,
    diskCount: 1,
    diskBytes: 8,
    firmwareMode: 'uefi',
  };
  const [kind, slot, model] = ['dimm', 'A1', 'M393'] as const;
  const parts = arrangeParts([{kind, slot, serial, model, attributes: {}, state: {}}]);
  const json = JSON.stringify({biosVersion: serial});
  const inventory = {json, summary, parts, unread: new Set<never>(), facts: '{}', words: serial};
  await sql.begin(tx => hardware.save(tx, machineId, inventory, {time: new Date()}));
  const [component] = await sql<{id: string}[]>`select id from components where serial = ${serial}`;
  return component?.id ?? '';
}

export async function addBuild(
  database: Database,
  target: Pick<Target, 'buildId' | 'machineId' | 'imageId' | 'serial'>,
): Promise<void> {
  const {buildId, machineId, imageId, serial} = target;
  const createTime = new Date();
  await database.begin(async sql => {
    const operation = {id: buildId, kind: 'build', machineId, actor: 'user:somebody', createTime};
    await insertOperation(sql, {...operation, state: 'queued'});
    await insertBuild(sql, buildId, {
      kind: 'machine',
      variant: 'virtual',
      backend: 'debian',
      machineId,
      imageConfig: undefined,
      nixosConfig: `# ${serial}`,
      templates: [],
      facts: undefined,
    });
    await buildLogs.append(sql, buildId, {time: new Date(), lines: [`building for ${serial}`]});
    await sql`
      update operations set state = 'succeeded', start_time = now(), end_time = now() where id = ${buildId}
    `;
    await sql`update builds set live = false where id = ${buildId}`;
  });
  await addImage(database, {id: imageId, buildId});
  await database`update builds set image_id = ${imageId} where id = ${buildId}`;
}

async function addImageTest(
  sql: Database,
  {imageTestId, imageId, machineId, serial}: Target,
): Promise<void> {
  const complete = completeTest({
    testType: 'script',
    firmwares: [],
    plan: {script: `# ${serial}`},
    isDisk: false,
  });
  await insertImageTest(sql, {
    ...complete,
    ...subjectOf({id: imageId, kind: 'machine'}),
    id: imageTestId,
    testType: 'script',
    machineId,
    actor: 'user:somebody',
    createTime: new Date(),
  });
  await sql`update image_tests set status = 'passed', end_time = now() where id = ${imageTestId}`;
}

async function addIssue({sql, issues}: Site, {issueId, machineId, serial}: Target) {
  await sql.begin(tx =>
    issues.review(tx, {machineId, source: 'test', actor: 'system'}, () => ({
      clear: [],
      raise: [
        {
          kind: 'component_missing',
          component: serial,
          severity: 'warning',
          summary: `${serial} is missing`,
          nextStep: 'Look for it',
          evidence: {},
        },
      ],
    })),
  );
  await sql`update issues set id = ${issueId} where machine_id = ${machineId}`;
}

async function addBoot(sql: Database, {machineId, serviceTag, serial}: Target): Promise<void> {
  const [id, now] = [uuidv7(), new Date()];
  await sql`
    insert into boot_sessions (id, edge_session, machine_id, serial, state, start_time, heard_time)
    values (${id}, ${id}, ${machineId}, ${serviceTag}, 'completed', ${now}, ${now})
  `;
  await sql`
    update machines set entry_action = 'local_disk', entry_actor = ${serial}, entry_time = now() where id = ${machineId}
  `;
}
