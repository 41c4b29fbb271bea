import {createUser} from '@nats-io/nkeys';
import {createOutages} from '@muster/runtime/log.ts';
import test from 'ava';
import {keepLines, levels} from '../../test/helpers/logged-lines.ts';
import {startNats} from '../../test/helpers/nats.ts';
import {until} from '../../test/helpers/processes.ts';
import {keepConnected} from './nats.ts';

test('a connection that never was, and one that is lost, is one line, and one when it is there', async t => {
  t.timeout(120_000);
  const {log, lines} = keepLines();
  let passedMs = 0;
  const outages = createOutages(log, () => performance.now() + passedMs);
  const told = () => lines.filter(({level}) => level >= levels.info).map(({msg}) => msg);
  const tries = async (more: number) => {
    const before = lines.length;
    await until(`${more} more lines`, async () => lines.length >= before + more);
  };
  await using nats = await startNats();
  const pair = createUser();
  const jwt = await nats.issueAgent('x', pair.getPublicKey());
  await nats.stop();
  const login = {servers: [nats.address], siteCa: nats.siteCa, name: 'bus', user: {jwt, pair}};
  await using link = keepConnected(login, log, outages);
  await tries(3);
  t.deepEqual(told(), ['cannot connect to NATS (bus), will try again']);
  await nats.start();
  await until('a connection', async () => link.connection());
  t.deepEqual(told().slice(1), ['connected to NATS', 'there again: NATS (bus)']);

  passedMs = 120_000;
  await nats.stop('SIGKILL');
  await tries(3);
  t.deepEqual(told().slice(3), ['lost NATS (bus), will try again']);
  await nats.start();
  await until('a connection again', async () => link.connection());
  t.deepEqual(told().slice(4), ['there again: NATS (bus)']);
});
