import {
  type DescMethod,
  getOption,
  hasOption,
  type Message,
  toJsonString,
} from '@bufbuild/protobuf';
import {Code, ConnectError} from '@connectrpc/connect';
import {BootAction} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {IssueMute_Scope} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {ImageTest_TestType} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {CommandMachineRequest_Command} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  Permission,
  permission,
  WorkspaceScope,
  workspace_scope as workspaceScope,
} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {User_Role} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {encodeCursor} from '@muster/server/domain/page-tokens.ts';
import test from 'ava';
import {contractServices} from '../helpers/contract.ts';
import {
  addTenant,
  type Site,
  startSite,
  type Target,
  unknownTarget,
} from '../helpers/workspace-site.ts';

/** The only stream without an end: what it has told by then, it has told. */
const watchEventsMs = 700;
const callMs = 60_000;

const reboot = CommandMachineRequest_Command.REBOOT;
const byMachine = ({machineId}: Target) => [{machineId}];
const byName = ({machineId, serviceTag}: Target) => [{id: machineId}, {id: serviceTag}];
const byIssue = ({issueId}: Target) => [{id: issueId}];
const byImageTest = ({imageTestId}: Target) => [{id: imageTestId}];
const byBuild = ({buildId}: Target) => [{id: buildId}];
const mine = '$MINE';
/** Of a list that begins with the newest: a place before all there is. */
const tokenBeforeAll = encodeCursor({
  time: '2999-01-01 00:00:00+00',
  id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
});

/** Every way in which a request of a method may name something: what one workspace's people ask for, and others must not find. */
const requests: Readonly<Record<string, (target: Target) => readonly object[]>> = {
  ExplainBoot: ({machineId, serviceTag}) => [{machine: machineId}, {machine: serviceTag}],
  ListBootSessions: ({machineId}) => [{machineId}, {countTotal: true}, {states: [1, 2, 3]}],
  ListBootOverrides: ({machineId}) => [{machineId}, {}],
  ListBootDecisions: ({machineId, hostname}) => [
    {},
    {filter: `id = ${machineId}`},
    {filter: `hostname = "${hostname}"`},
  ],
  SetBootOverride: ({machineId, imageId}) => [
    {machineId, action: BootAction.LOCAL_DISK},
    {machineId, action: BootAction.IMAGE, imageId},
    // Somebody else's image on one's own machine.
    {machineId: mine, action: BootAction.IMAGE, imageId},
  ],
  ClearBootOverride: byMachine,
  CreateBuild: byMachine,
  ListBuilds: ({machineId, imageId}) => [
    {machineId},
    {imageId},
    {countTotal: true},
    {states: [1, 2, 3, 4, 5]},
    {pageToken: tokenBeforeAll, machineId},
  ],
  GetBuild: byBuild,
  CancelBuild: byBuild,
  WatchBuild: byBuild,
  ValidateConfig: ({machineId, serviceTag}) => [
    {machineId, syntaxOnly: true},
    {machineId: serviceTag, syntaxOnly: true},
  ],
  ListComponents: ({machineId, serial}) => [{machineId}, {serial}, {}],
  GetComponent: ({componentId, serial}) => [{id: componentId}, {id: serial}],
  ListEvents: ({machineId}) => [{machineId}, {}],
  WatchEvents: ({machineId}) => [{machineId, after: 0n}, {after: 0n}],
  GetHardware: byMachine,
  ListHardwareVersions: byMachine,
  GetHardwareVersion: ({machineId}) => [{machineId, number: 1}],
  DiffHardwareVersions: byMachine,
  ListImages: ({imageId}) => [{}, {pageToken: imageId}],
  GetImage: ({imageId}) => [{id: imageId}],
  CreateImageTest: ({machineId, imageId}) => [
    {machineId, imageId, testType: ImageTest_TestType.HELLO},
    // Somebody else's image for one's own machine.
    {machineId: mine, imageId, testType: ImageTest_TestType.HELLO},
    {machineId: mine, imagePath: `/images/${imageId}`, testType: ImageTest_TestType.BOOT},
  ],
  ListImageTests: ({machineId, imageId}) => [
    {},
    {machineId},
    {imageId},
    {statuses: [1, 2, 3, 4, 5, 6]},
    {pageToken: tokenBeforeAll, machineId},
  ],
  GetImageTest: byImageTest,
  CancelImageTest: byImageTest,
  RetryImageTest: byImageTest,
  GetImageTestLog: byImageTest,
  WatchImageTest: byImageTest,
  GetImageTestScreenshot: byImageTest,
  ListIssues: ({machineId}) => [{machineId}, {}],
  GetIssue: byIssue,
  AcknowledgeIssue: byIssue,
  ClearIssue: byIssue,
  MuteIssue: ({issueId}) => [
    {id: issueId, duration: '1h', reason: 'mine'},
    {id: issueId, duration: '1h', reason: 'mine', scope: IssueMute_Scope.MACHINE},
  ],
  UnmuteIssue: byIssue,
  GetIssueSummary: () => [{}],
  ListMachines: ({workspace, serviceTag, machineId, serial, hostname}) => [
    {readMask: {paths: ['id', 'hostname', 'workspace_id']}},
    ...[
      '',
      `workspace = "${workspace}"`,
      `NOT workspace = "${workspace}"`,
      serviceTag,
      serial,
      `id = ${machineId}`,
      `hostname = "${hostname}"`,
      `group = "${workspace}"`,
    ].map(filter => ({filter, countTotal: true, orderBy: 'hostname'})),
  ],
  ListMachineFacets: ({workspace}) => [
    {fields: ['state', 'workspace', 'service_tag', 'hardware.cpu_model']},
    {fields: ['hostname'], filter: `workspace = "${workspace}"`},
  ],
  GetMachine: byName,
  UpdateMachine: ({machineId}) => [
    {machine: {id: machineId, notes: 'mine'}, updateMask: {paths: ['notes']}},
  ],
  LabelMachine: ({machineId}) => [{id: machineId, set: {rack: 'r7'}}],
  CommandMachine: ({machineId}) => [{id: machineId, command: reboot}],
  SubmitMetrics: ({machineId}) => [{machineId, metrics: {cpuUsagePercent: 1}}],
  GetLatestMetrics: byMachine,
  ListMetrics: byMachine,
  ListOperations: ({machineId}) => [
    {machineId},
    {countTotal: true},
    {states: [1, 2, 3, 4, 5]},
    {kinds: ['build']},
  ],
  GetOperation: byBuild,
  CancelOperation: byBuild,
  ListTemplateMachines: () => [{name: 'base-server'}],
  ListWorkspaces: () => [{}],
  GetWorkspace: ({workspace, workspaceId}) => [{id: workspace}, {id: workspaceId}],
  ListWorkspaceMembers: ({workspace, workspaceId}) => [{workspaceId: workspace}, {workspaceId}],
  GrantWorkspaceRole: ({workspaceId}) => [
    {workspaceId, userId: 'somebody', role: User_Role.VIEWER},
  ],
  RevokeWorkspaceRole: ({workspaceId}) => [{workspaceId, userId: 'somebody'}],
};

type AnyCall = (input: object, options: {signal: AbortSignal}) => unknown;
type Answer = {readonly code: Code | undefined; readonly text: string};

const roles = {
  viewer: [Permission.VIEW],
  operator: [Permission.VIEW, Permission.DEVELOP, Permission.OPERATE],
  admin: [Permission.VIEW, Permission.DEVELOP, Permission.OPERATE, Permission.ADMINISTER],
} as const;

const methodsWith = async (scope: WorkspaceScope): Promise<readonly DescMethod[]> =>
  (await contractServices())
    .flatMap(({methods}) => methods)
    .filter(
      method => hasOption(method, workspaceScope) && getOption(method, workspaceScope) === scope,
    );

async function call(site: Site, method: DescMethod, token: string, input: object): Promise<Answer> {
  const client = site.clientAs(method.parent, token) as Record<string, AnyCall>;
  const invoke = client[method.localName];
  if (!invoke) throw new Error(`No client for ${method.name}`);
  const texts: string[] = [];
  const signal = AbortSignal.timeout(method.name === 'WatchEvents' ? watchEventsMs : callMs);
  try {
    const answer = invoke(input, {signal});
    if (method.methodKind === 'unary')
      texts.push(toJsonString(method.output, (await answer) as Message));
    else
      for await (const message of answer as AsyncIterable<Message>)
        texts.push(toJsonString(method.output, message));
    return {code: undefined, text: texts.join('\n')};
  } catch (error) {
    const {code, rawMessage} = ConnectError.from(error);
    if (signal.aborted && method.name === 'WatchEvents')
      return {code: undefined, text: texts.join('\n')};
    return {code, text: [...texts, rawMessage].join('\n')};
  }
}

/** An answer that does not repeat what was asked for, so that two may be compared. */
function anonymous(text: string, target: Target): string {
  let neutral = text;
  for (const [name, value] of Object.entries(target))
    if (value !== '') neutral = neutral.replaceAll(value, `<${name}>`);
  return neutral;
}

const askedBy = (method: DescMethod, target: Target, own: Target): readonly object[] =>
  JSON.parse(
    shown(requests[method.name]?.(target) ?? []).replaceAll(mine, own.machineId),
    (key, value: unknown) => (key === 'after' ? BigInt(value as number) : value),
  ) as readonly object[];

const shown = (input: object): string =>
  JSON.stringify(input, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));

const secretsOf = ({workspace, username, ...target}: Target): readonly string[] =>
  [...Object.values(target), workspace, username].filter(text => text !== '');

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const site = stack.use(await startSite());
  const [own, other, unassigned] = [
    await addTenant(site, {assigned: true}),
    await addTenant(site, {assigned: true}),
    await addTenant(site, {assigned: false}),
  ];
  for (const {workspace} of [own, other, unassigned])
    await site.sql`
      insert into groups (id, name, description, tags, filter, create_time, update_time)
      values (gen_random_uuid(), ${workspace}, '', '{}', 'state = ACTIVE', now(), now())
    `;
  await site.person('somebody');
  await site.person(other.username, {[other.workspaceId]: User_Role.ADMIN});
  const people = {
    viewer: await site.person('viewer', {[own.workspaceId]: User_Role.VIEWER}),
    operator: await site.person('operator', {[own.workspaceId]: User_Role.OPERATOR}),
    admin: await site.person('admin', {[own.workspaceId]: User_Role.ADMIN}),
  };
  const owned = stack.move();
  return {site, own, other, unassigned, people, [Symbol.asyncDispose]: () => owned.disposeAsync()};
}

test('whoever has roles in one workspace finds nothing of another, nor of no workspace, by any method', async t => {
  t.timeout(240_000);
  await using world = await setUp();
  const {site, own, other, unassigned, people} = world;
  const foreign = [other, unassigned].flatMap(secretsOf);
  const methods = await methodsWith(WorkspaceScope.MACHINES);
  t.true(methods.length >= 40, String(methods.length));

  for (const method of methods) {
    t.truthy(requests[method.name], `${method.name} is tried here`);
    for (const [role, token] of Object.entries(people))
      for (const target of [other, unassigned]) {
        const nobody = unknownTarget();
        const asked = askedBy(method, target, own);
        const invented = askedBy(method, nobody, own);
        for (const [index, input] of asked.entries()) {
          const what = `${method.name} as ${role}: ${shown(input)}`;
          // One after the other: some calls change what the next one tells.
          const found = await call(site, method, token, input);
          const missed = await call(site, method, token, invented[index] ?? {});
          t.not(found.code, Code.Unauthenticated, what);
          t.is(found.code, missed.code, what);
          // Events come meanwhile, the call's own among them.
          if (!/Events/.test(method.name))
            t.is(anonymous(found.text, target), anonymous(missed.text, nobody), what);
          const sent = shown(input);
          for (const secret of foreign)
            if (!sent.includes(secret)) t.false(found.text.includes(secret), `${what}: ${secret}`);
          if (found.code === undefined && !/ExplainBoot/.test(method.name))
            for (const secret of foreign)
              t.false(found.text.includes(secret), `${what} tells ${secret}`);
        }
      }
  }
});

test('what is shared, and what is one’s own, tells nothing of other workspaces', async t => {
  await using world = await setUp();
  const {site, other, unassigned, people} = world;
  const foreign = [other, unassigned].flatMap(secretsOf);
  const methods = [
    ...(await methodsWith(WorkspaceScope.SHARED)),
    ...(await methodsWith(WorkspaceScope.OWN)),
  ].filter(({name}) => /^(List|Get)/.test(name));
  t.true(methods.length >= 7, String(methods.length));
  for (const method of methods)
    for (const [role, token] of Object.entries(people)) {
      const input = method.name.endsWith('Template') ? {name: 'base-server'} : {};
      const {code, text} = await call(site, method, token, input);
      const what = `${method.name} as ${role}: ${text}`;
      t.not(code, Code.Unauthenticated, what);
      t.not(code, Code.PermissionDenied, what);
      for (const secret of foreign) t.false(text.includes(secret), `${what}: ${secret}`);
    }
});

test('whoever has a role in a workspace does there what the role permits', async t => {
  t.timeout(240_000);
  await using world = await setUp();
  const {site, own, people} = world;
  for (const method of await methodsWith(WorkspaceScope.MACHINES))
    for (const [role, token] of Object.entries(people))
      for (const input of askedBy(method, own, own)) {
        const {code, text} = await call(site, method, token, input);
        const may = roles[role as keyof typeof roles].some(
          one => one === getOption(method, permission),
        );
        const what = `${method.name} as ${role}: ${shown(input)}: ${text}`;
        if (!may) t.is(code, Code.PermissionDenied, what);
        else if (!shown(input).includes('group'))
          t.false(
            [Code.NotFound, Code.PermissionDenied, Code.Internal].some(wrong => wrong === code),
            what,
          );
      }
});
