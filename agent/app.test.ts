import {setUpAgent as setUp} from '@muster/test/helpers/agent-lab.ts';
import test from 'ava';

test('an agent enrols, says hello, reports its inventory and metrics', async t => {
  await using lab = await setUp();
  const {service, bus} = lab;
  lab.start();
  const enrolment = await service.seen('EnrollAgent');
  t.like(enrolment.message, {bootToken: 'token-1', imageInputKey: 'key-1'});

  const hello = await bus.report(report => report.hello !== undefined);
  t.is(hello.machineId, service.machineId);
  t.like(hello.hello, {bootSessionId: 'session-1', imageInputKey: 'key-1'});
  const {inventory} = await bus.report(report => report.inventory !== undefined);
  t.true((inventory?.cpus?.length ?? 0) > 0);
  const {metrics} = await bus.report(report => report.metrics !== undefined);
  t.like(metrics, {firstSequence: '1'});
  t.truthy(metrics?.samples?.[0]?.memoryTotalBytes);
});

test('an expired token is replaced by a new one from the edge', async t => {
  await using lab = await setUp();
  lab.service.refusals.push({method: 'EnrollAgent', reason: 'tokenExpired'});
  lab.service.tokens.push('token-2');
  lab.start();
  const second = await lab.service.seen('EnrollAgent', 2);
  t.is(second.message.bootToken, 'token-2');
  await lab.bus.report(report => report.hello !== undefined);
});

test('a restarted agent has a new key and does not present the spent token again', async t => {
  await using lab = await setUp();
  await using first = lab.start();
  await lab.bus.report(report => report.hello !== undefined);
  await first[Symbol.asyncDispose]();

  lab.service.tokens.push('token-2');
  lab.start();
  const again = await lab.service.seen('EnrollAgent', 2);
  t.is(again.message.bootToken, 'token-2');
  t.not(again.message.publicKey, lab.service.calls[0]?.message.publicKey);
});

test('reports survive a kill of nats-server', async t => {
  await using lab = await setUp();
  const {service, bus, nats} = lab;
  bus.confirm.clear();
  lab.start();
  const {reportId} = await bus.report(report => report.inventory !== undefined);
  await nats.stop('SIGKILL');
  bus.reports.length = 0;
  await nats.start();

  const hello = await bus.report(report => report.hello !== undefined);
  t.is(hello.machineId, service.machineId);
  const again = await bus.report(report => report.inventory !== undefined);
  t.is(again.reportId, reportId);
});

test('a credential of few seconds is renewed before it ends, and the session goes on', async t => {
  await using lab = await setUp();
  const {service, bus} = lab;
  service.ttlSeconds = 4;
  lab.start();
  await service.seen('RenewAgent', 2);
  t.is(service.calls.filter(call => call.method === 'EnrollAgent').length, 1);
  bus.reports.length = 0;
  await bus.report(report => report.hello !== undefined);
  const result = await lab.commandUntilDone({locate: {durationSeconds: 1}});
  t.truthy(result);
});

test('a revoked key leads to a new enrolment with a new key and token', async t => {
  await using lab = await setUp();
  const {service} = lab;
  service.ttlSeconds = 2;
  service.tokens.push('token-2');
  service.refusals.push({method: 'RenewAgent', reason: 'keyRevoked'});
  lab.start();
  const again = await service.seen('EnrollAgent', 2);
  t.is(again.message.bootToken, 'token-2');
  t.not(again.message.publicKey, service.calls[0]?.message.publicKey);
});
