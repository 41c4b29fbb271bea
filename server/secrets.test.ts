import {chmod, mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {createAgentNonces} from './domain/agent-nonces.ts';
import {loadMasterKey, masterKey} from './secrets.ts';

async function makeFolder() {
  const path = await mkdtemp(join(tmpdir(), 'muster-key-'));
  return {path, [Symbol.asyncDispose]: () => rm(path, {recursive: true, force: true})};
}

test('processes that start together share one key file, which only its owner may read', async t => {
  await using folder = await makeFolder();
  const path = join(folder.path, 'new', 'master.key');
  const keys = await Promise.all([loadMasterKey(path), loadMasterKey(path), loadMasterKey(path)]);
  t.is(new Set(keys.map(key => key.derive('x').toString('hex'))).size, 1);
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.is((await readFile(path)).length, 32);
});

test('a key file that others may read, or of another length, is refused', async t => {
  await using folder = await makeFolder();
  const path = join(folder.path, 'master.key');
  await writeFile(path, 'short', {mode: 0o600});
  await t.throwsAsync(loadMasterKey(path), {message: /expected 32 bytes, found 5/});
  await chmod(path, 0o644);
  await t.throwsAsync(loadMasterKey(path), {message: /others may read it; run chmod 600/});
});

test('a sealed secret opens under its name and key only, and never twice looks the same', t => {
  const key = masterKey(Buffer.alloc(32, 1));
  const sealed = key.seal('nats', Buffer.from('secret'));
  t.is(key.open('nats', sealed).toString(), 'secret');
  t.notDeepEqual(key.seal('nats', Buffer.from('secret')), sealed);
  t.throws(() => key.open('other', sealed), {message: /another master key/});
  t.throws(() => masterKey(Buffer.alloc(32, 2)).open('nats', sealed), {
    message: /another master key/,
  });
  sealed[20] = (sealed[20] ?? 0) ^ 1;
  t.throws(() => key.open('nats', sealed));
});

test('a nonce is good for its machine and 60 seconds, on every server of one master key', t => {
  let time = 1_800_000_000_000;
  const now = () => new Date(time);
  const key = masterKey(Buffer.alloc(32, 1));
  const one = createAgentNonces({key, now});
  const two = createAgentNonces({key, now});
  const other = createAgentNonces({key: masterKey(Buffer.alloc(32, 2)), now});
  const nonce = one.createNonce('m1');
  t.true(two.checkNonce('m1', nonce));
  t.false(two.checkNonce('m2', nonce));
  t.false(other.checkNonce('m1', nonce));
  for (const junk of ['', 'x', nonce.slice(0, -4), `${nonce}AAAA`])
    t.false(one.checkNonce('m1', junk));
  time += 60_000;
  t.true(one.checkNonce('m1', nonce));
  time += 1;
  t.false(one.checkNonce('m1', nonce));
});
