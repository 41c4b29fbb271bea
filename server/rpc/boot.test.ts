import {randomUUID} from 'node:crypto';
import {timestampNow} from '@bufbuild/protobuf/wkt';
import {createClient} from '@connectrpc/connect';
import {
  AgentErrorInfo_Reason,
  AgentErrorInfoSchema,
  AgentService,
} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {
  BootAction,
  BootHop_Kind,
  BootService,
  BootSession_State,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {ConnectError} from '@connectrpc/connect';
import test from 'ava';
import {serve} from '../../test/helpers/one-port.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {
  bootFacts,
  newAgentKey,
  startAnswers,
  wireMachines,
} from '../../test/helpers/server-machines.ts';
import {agentService} from './agents.ts';
import {bootService} from './boot.ts';

const postgres = postgresOf(test);

const mac = '3c:ec:ef:00:00:0a';

/** The real stack on a socket. */
async function setUp() {
  await using stack = new AsyncDisposableStack();
  const {sql} = stack.use(await postgres.createDatabase());
  const server = await wireMachines(sql);
  const answers = stack.use(await startAnswers(server));
  const app = stack.use(
    await serve({
      routes(router) {
        router.service(
          BootService,
          bootService({
            answers,
            boot: server.boot,
            sessions: server.bootSessions,
            timeline: server.timeline,
            lists: server.bootLists,
          }),
        );
        router.service(
          AgentService,
          agentService({enrolment: server.enrolment, renewal: server.renewal, natsServers: []}),
        );
      },
    }),
  );
  const owned = stack.move();
  return {
    server,
    url: app.url,
    edge: createClient(BootService, app.transport('edge')),
    operator: createClient(BootService, app.transport('operator')),
    agent: createClient(AgentService, app.transport()),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('an edge asks about a stranger, follows its answer, and reports its boot', async t => {
  await using app = await setUp();
  const stop = new AbortController();
  const stream = app.edge.watchBootAnswers({revision: 0n}, {signal: stop.signal});
  const messages = stream[Symbol.asyncIterator]();
  t.like((await messages.next()).value, {
    reset: true,
    complete: true,
    settings: {enrollUrl: bootFacts.enrollUrl, siteCa: 'CA', unknown: {action: BootAction.RETRY}},
  });

  const client = {macAddresses: [mac], session: 's1', platform: 'efi'};
  const {answer} = await app.edge.resolveBoot({client});
  t.like(answer, {decision: {action: BootAction.RETRY}, ask: false});
  t.is((await messages.next()).value?.answers[0]?.machineId, answer?.machineId);
  stop.abort();

  const hops = [
    {id: randomUUID(), kind: BootHop_Kind.SCRIPT, time: timestampNow(), session: 's1', client},
  ];
  await app.edge.reportBootHops({hops});
  const {bootSessions} = await app.operator.listBootSessions({machineId: answer?.machineId ?? ''});
  t.like(bootSessions, {
    length: 1,
    0: {
      state: BootSession_State.OPEN,
      hops: {length: 1, 0: {kind: BootHop_Kind.SCRIPT, session: 's1'}},
    },
  });
});

test('people explain and override, edges do not', async t => {
  await using app = await setUp();
  const {answer} = await app.edge.resolveBoot({client: {macAddresses: [mac]}});
  const machineId = answer?.machineId ?? '';
  const override = {machineId, action: BootAction.LOCAL_DISK};
  await t.throwsAsync(app.edge.setBootOverride(override), {message: /\[permission_denied\]/});
  await t.throwsAsync(app.operator.resolveBoot({client: {}}), {message: /\[permission_denied\]/});
  await t.throwsAsync(
    app.operator.setBootOverride({machineId, action: BootAction.IMAGE, imageId: 'none'}),
    {message: /\[not_found\] Cannot boot image "none"/},
  );
  t.like((await app.operator.setBootOverride(override)).decision, {action: BootAction.LOCAL_DISK});
  t.true((await app.edge.resolveBoot({client: {macAddresses: [mac], session: 's1'}})).answer?.ask);
  await app.operator.clearBootOverride({machineId});

  const response = await fetch(`${app.url}/api/v1/boot/explain?machine=${mac}`, {
    headers: {authorization: 'Bearer viewer'},
  });
  t.is(response.status, 200);
  t.like(await response.json(), {machine_id: machineId, decision: {action: 'retry'}});
});

test('an agent is told by a reason why it is refused', async t => {
  await using app = await setUp();
  const {agent, server} = app;
  const bootToken = await server.token({session: 's1', mac});
  const evidence = {macAddresses: [mac], systemSerial: 'ABC1234\u0000'};
  const publicKey = newAgentKey();
  const enrolled = await agent.enrollAgent({
    bootToken,
    publicKey,
    evidence,
    machineTime: timestampNow(),
  });
  t.like(enrolled, {expiresInSeconds: 3600, machineState: 'enrolled'});
  t.truthy((await agent.createAgentNonce({machineId: enrolled.machineId})).nonce);

  const reasonOf = async (request: {bootToken: string; publicKey: string}) => {
    const error = await t.throwsAsync(agent.enrollAgent({...request, evidence}), {
      instanceOf: ConnectError,
    });
    return error?.findDetails(AgentErrorInfoSchema)[0]?.reason;
  };
  t.is(await reasonOf({bootToken, publicKey: newAgentKey()}), AgentErrorInfo_Reason.TOKEN_REUSED);
  t.is(await reasonOf({bootToken: 'forged', publicKey}), AgentErrorInfo_Reason.TOKEN_INVALID);

  const diskSerials = Array.from({length: 1000}, (_, n) => `${n}`.padStart(100, 'S'));
  await t.throwsAsync(agent.enrollAgent({bootToken, publicKey, evidence: {diskSerials}}), {
    message: /at most 65536/,
  });
  await t.throwsAsync(agent.enrollAgent({bootToken, publicKey: 'junk', evidence}), {
    message: /\[invalid_argument\]/,
  });
});
