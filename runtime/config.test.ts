import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {
  boolean,
  describeSettings,
  integer,
  list,
  loadSettings,
  oneOf,
  port,
  text,
} from './config.ts';

const table = {
  url: {env: 'TEST_URL', describe: 'where to connect', parse: text, secret: true},
  port: {env: 'TEST_PORT', describe: 'where to listen', parse: port, default: '8080'},
  names: {env: 'TEST_NAMES', describe: 'who', parse: list, default: 'a, b,'},
  on: {env: 'TEST_ON', describe: 'whether', parse: boolean, default: 'true'},
};

test('the environment wins over the file, which wins over the default', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-config-'));
  try {
    const file = join(folder, 'muster.conf');
    const secret = join(folder, 'secret');
    await writeFile(file, '# a comment\nTEST_PORT = 1\nTEST_NAMES=c\n\n');
    await writeFile(secret, 'postgres://x\n');
    const values = loadSettings(table, {
      MUSTER_CONFIG: file,
      TEST_URL_FILE: secret,
      TEST_PORT: '2',
    });
    t.deepEqual(values, {url: 'postgres://x', port: 2, names: ['c'], on: true});
    t.deepEqual(describeSettings(table, values), {
      TEST_URL: '[secret]',
      TEST_PORT: 2,
      TEST_NAMES: ['c'],
      TEST_ON: true,
    });
  } finally {
    await rm(folder, {recursive: true});
  }
});

test('all problems come in one message', t => {
  t.throws(() => loadSettings(table, {TEST_PORT: 'x', TEST_ON: 'yes'}), {
    message: `Cannot start:
  TEST_URL is required: where to connect
  TEST_PORT: "x" is not a whole number from 0 to 65535
  TEST_ON: "yes" is not one of true, false`,
  });
});

test('a settings file that cannot be read, or a line that is no setting, is a problem', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-config-'));
  try {
    const file = join(folder, 'muster.conf');
    await writeFile(file, 'nonsense\n');
    t.throws(() => loadSettings(table, {MUSTER_CONFIG: file, TEST_URL: 'x'}), {
      message: /muster\.conf:1: expected NAME=value/,
    });
    t.throws(() => loadSettings(table, {MUSTER_CONFIG: `${folder}/none`, TEST_URL: 'x'}), {
      message: /MUSTER_CONFIG: cannot read/,
    });
  } finally {
    await rm(folder, {recursive: true});
  }
});

test('numbers and choices are parsed strictly', t => {
  for (const value of ['', '1.5', '-1', '11', 'NaN'])
    t.throws(() => integer(0, 10)(value), {message: /is not a whole number from 0 to 10/});
  t.is(integer(0, 10)('10'), 10);
  t.is(oneOf('open', 'closed')('open'), 'open');
  t.throws(() => oneOf('open', 'closed')('ajar'));
});
