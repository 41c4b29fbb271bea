import {join} from 'node:path';
import test from 'ava';
import {promtool} from '../../test/helpers/prometheus.ts';

const file = (name: string) => join(import.meta.dirname, name);

test('promtool accepts the configuration and the rules', t => {
  for (const args of [
    ['check', 'config', file('prometheus.yml')],
    ['check', 'rules', '--lint-fatal', file('rules.yml'), file('alerts.yml')],
  ]) {
    const {status, words} = promtool(args);
    t.is(status, 0, words);
  }
});

test('alerts are raised and cleared when they should be', t => {
  const {status, words} = promtool(['test', 'rules', file('alerts.test.yml')]);
  t.is(status, 0, words);
});
