import test from 'ava';
import {runWithKills} from '../e2e/fault-loop.ts';

test('builder killed before each step: the loop goes on and nothing acknowledged is lost', async t => {
  t.timeout(35 * 60_000);
  await runWithKills(t, 'builder');
});
