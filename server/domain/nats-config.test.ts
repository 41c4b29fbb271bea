import {createAccount, createOperator} from '@nats-io/nkeys';
import test from 'ava';
import {natsConfig} from './nats-config.ts';
import type {NatsKeys} from './nats-keys.ts';
import {accountLimits} from './nats-limits.ts';

const keys = {
  operator: createOperator(),
  system: createAccount(),
  operatorJwt: 'operator.jwt',
  systemJwt: 'system.jwt',
} as unknown as NatsKeys;

const options = {
  listen: '127.0.0.1:4222',
  dataFolder: '/data',
  certificateFile: '/data/cert.pem',
  privateKeyFile: '/data/key.pem',
};

// One reservation for each login under way when the account first comes, and one for the account: see nats-limits.ts.
test('JetStream has room for the account many times over, so that a race at the start leaves it enabled', t => {
  const config = natsConfig(keys, options);
  const bytes = (name: string) => Number(new RegExp(`${name}: (\\d+)$`, 'm').exec(config)?.[1]);
  t.true(bytes('max_memory_store') >= 32 * accountLimits.mem_storage);
  t.true(bytes('max_file_store') >= 32 * accountLimits.disk_storage);
});

test('a path that would end its string in nats.conf is refused', t => {
  for (const dataFolder of ['/a"b', '/a\\b', '/a\nb'])
    t.throws(() => natsConfig(keys, {...options, dataFolder}), {message: /^Cannot write/});
});
