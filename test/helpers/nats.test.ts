import {createUser} from '@nats-io/nkeys';
import {connect, jwtAuthenticator, type NatsConnection} from '@nats-io/transport-node';
import test from 'ava';
import {startNats, type TestNats} from './nats.ts';

test('an agent may publish its own reports and nothing of another machine', async t => {
  await using nats = await startNats();
  const server = await nats.connectServer();
  const agent = await connectAgent(nats, 'm1');
  const received = server.subscribe('muster.reports.agent.>', {max: 1});
  await server.flush();

  agent.publish('muster.reports.agent.m2.hello', 'forged');
  agent.publish('muster.reports.agent.m1.hello', 'own');
  for await (const message of received) t.is(message.string(), 'own');
  await Promise.all([server.close(), agent.close()]);
});

test('a killed nats-server comes back on its port with its accounts', async t => {
  await using nats = await startNats();
  await nats.stop('SIGKILL');
  await t.throwsAsync(nats.connectServer({reconnect: false}));

  await nats.start();
  const system = await nats.connectSystem();
  await system.flush();
  await system.close();
  const server = await nats.connectServer();
  t.is(server.getServer(), nats.address);
  await server.close();
});

async function connectAgent(nats: TestNats, machineId: string): Promise<NatsConnection> {
  const key = createUser();
  const jwt = await nats.issueAgent(machineId, key.getPublicKey());
  const tls = {ca: nats.siteCa, servername: 'nats.muster'};
  return connect({
    servers: nats.address,
    tls,
    authenticator: jwtAuthenticator(jwt, key.getSeed()),
  });
}
