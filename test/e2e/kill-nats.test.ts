import test from 'ava';
import {runWithKills} from './fault-loop.ts';

test('nats killed before each step: the loop goes on and nothing acknowledged is lost', async t => {
  t.timeout(300_000);
  await runWithKills(t, 'nats');
});
