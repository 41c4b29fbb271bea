import {randomUUID} from 'node:crypto';
import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {postgresOf, startPostgres} from '../../test/helpers/postgres.ts';
import {startRelay} from '../relay.ts';
import {masterKey} from '../secrets.ts';
import {findAuditHead, listAudit} from '../store/audit.ts';
import {putCheckpoint} from '../store/audit-checkpoints.ts';
import type {Database, Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {listenFor} from '../store/notifications.ts';
import {createWakeUps} from '../wake-ups.ts';
import {chainAudit, placeWaitingAudit} from './audit-chain.ts';
import {createCheckpointSigner} from './audit-checkpoints.ts';
import {createAuditUpkeep} from './audit-upkeep.ts';
import {createAudit} from './audit.ts';

const postgres = postgresOf(test);

const dayMs = 24 * 3_600_000;
const genesis = {position: 0, hash: Buffer.alloc(32)};
const signer = createCheckpointSigner(masterKey(Buffer.alloc(32, 7)));
const never = new AbortController().signal;
const publish = () => Promise.reject(new Error('The bus is away'));

const write = (sql: Sql, text = 'x', time = new Date()) =>
  appendEvent(sql, {
    id: randomUUID(),
    time,
    type: 'test.changed',
    actor: 'user:alice',
    subject: `tests/${text}`,
    change: {before: {b: 1.5, a: null, text: 'é"\\'}, after: {b: 2, a: [1, {z: 1, '10': 2}], text}},
  });

/** Ten entries, in their places. */
async function setUp() {
  const database = await postgres.createDatabase();
  const {sql} = database;
  for (let number = 1; number <= 10; number += 1) await write(sql, String(number));
  await sql.begin(placeWaitingAudit);
  const deps = {sql, now: () => new Date(), newId: randomUUID};
  const upkeep = createAuditUpkeep({...deps, signer, retentionDays: 30});
  const verdict = async (known?: {position: number; hash: string}, by = signer) => {
    const steps = await Array.fromAsync(createAudit({sql, signer: by}).verify(known, never));
    const last = steps.at(-1);
    if (!last || !('head' in last)) throw new Error('The walk gave no verdict');
    return last;
  };
  return {
    sql,
    upkeep,
    verdict,
    /** The first broken position; undefined when all is well. */
    broken: async () => (await verdict()).broken?.position,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const tampering: Readonly<Record<string, (sql: Database) => Promise<unknown>>> = {
  actor: sql => sql`update audit_entries set actor = 'user:bob' where position = 4`,
  address: sql => sql`update audit_entries set address = '10.0.0.1' where position = 4`,
  method: sql => sql`update audit_entries set method = 'X.Y' where position = 4`,
  resource: sql => sql`update audit_entries set resource = 'tests/0' where position = 4`,
  action: sql => sql`update audit_entries set action = 'test.kept' where position = 4`,
  time: sql => sql`update audit_entries set time = time - interval '1 minute' where position = 4`,
  request: sql => sql`update audit_entries set request = '{}' where position = 4`,
  before: sql => sql`update audit_entries set before = before || '{"b": 1}' where position = 4`,
  after: sql => sql`update audit_entries set after = null where position = 4`,
  outcome: sql => sql`update audit_entries set outcome = 'failed' where position = 4`,
  code: sql => sql`update audit_entries set code = 'internal' where position = 4`,
  error: sql => sql`update audit_entries set error = 'no' where position = 4`,
  count: sql => sql`update audit_entries set count = 2 where position = 4`,
  duration: sql => sql`update audit_entries set duration_ms = 7 where position = 4`,
  call: sql => sql`update audit_entries set call_id = gen_random_uuid() where position = 4`,
  id: sql => sql`update audit_entries set id = gen_random_uuid() where position = 4`,
  hash: sql => sql`update audit_entries set hash = sha256('x') where position = 4`,
  'a deleted row': sql => sql`delete from audit_entries where position = 4`,
  'deleted rows, the gap closed': async sql => {
    await sql`delete from audit_entries where position = 4`;
    for (let next = 5; next <= 10; next += 1)
      await sql`update audit_entries set position = ${next - 1} where position = ${next}`;
  },
  'two rows in each other’s place': async sql => {
    await sql`update audit_entries set position = 99 where position = 4`;
    await sql`update audit_entries set position = 4 where position = 7`;
    await sql`update audit_entries set position = 7 where position = 99`;
  },
  'their hashes left in place': async sql => {
    await sql`
      update audit_entries set position = case position when 4 then 107 else 104 end,
        hash = (select other.hash from audit_entries other where other.position = 11 - audit_entries.position)
      where position in (4, 7)
    `;
    await sql`update audit_entries set position = position - 100 where position > 100`;
  },
};

for (const [what, tamper] of Object.entries(tampering))
  test.serial(`finds tampering: ${what}`, async t => {
    await using audit = await setUp();
    t.is(await audit.broken(), undefined);
    await tamper(audit.sql);
    t.is(await audit.broken(), 4);
  });

test('rows that are missing at the end are found by the signed checkpoint', async t => {
  await using audit = await setUp();
  await audit.upkeep.signHead();
  t.is((await audit.sql`select from audit_checkpoints`).length, 1);
  await audit.sql`delete from audit_entries where position > 8`;
  t.is(await audit.broken(), 9);
  await t.throwsAsync(audit.upkeep.signHead(), {message: /missing at its end/});
});

/** What somebody does who can write to PostgreSQL and knows how the chain is made. */
async function rewriteFrom4(sql: Database) {
  await sql`update audit_entries set actor = 'user:bob' where position = 4`;
  const entries = await listAudit(sql, {after: 0, limit: 100});
  for (const {id, hash} of chainAudit(genesis, entries))
    await sql`update audit_entries set hash = ${hash} where id = ${id}`;
}

test('a chain that was computed anew is found by the signature, or by a hash noted elsewhere', async t => {
  await using audit = await setUp();
  const noted = (await audit.verdict()).head;
  const known = {position: noted.position, hash: noted.hash.toString('hex')};
  t.is((await audit.verdict(known)).broken, undefined);
  await audit.upkeep.signHead();
  await rewriteFrom4(audit.sql);
  t.regex((await audit.verdict()).broken?.reason ?? '', /computed anew/);

  await audit.sql`delete from audit_checkpoints`;
  t.is(await audit.broken(), undefined, 'nothing in the database tells any more');
  t.regex((await audit.verdict(known)).broken?.reason ?? '', /computed anew/);

  const head = await findAuditHead(audit.sql);
  if (!head) throw new Error('The chain is empty');
  const other = createCheckpointSigner(masterKey(Buffer.alloc(32, 8)));
  await putCheckpoint(audit.sql, other.sign(head, new Date(), false));
  t.regex((await audit.verdict()).broken?.reason ?? '', /forged/);
});

test('nothing is signed that does not follow from what was signed before', async t => {
  await using audit = await setUp();
  await audit.upkeep.signHead();
  await write(audit.sql);
  await audit.sql.begin(placeWaitingAudit);
  await audit.sql`update audit_entries set actor = 'user:bob' where position = 11`;
  await t.throwsAsync(audit.upkeep.signHead(), {message: /Entry 11 is not as it was written/});
  t.is((await audit.sql`select from audit_checkpoints where position > 10`).length, 0);
});

test('retention takes the oldest; the chain goes on from a signed checkpoint', async t => {
  await using audit = await setUp();
  const {sql, upkeep} = audit;
  const old = new Date(Date.now() - 31 * dayMs);
  await sql`truncate audit_entries`;
  for (const text of ['a', 'b', 'c']) await write(sql, text, old);
  await write(sql, 'd');
  await sql.begin(placeWaitingAudit);
  const noted = (await audit.verdict()).head;
  await upkeep.truncateOld();
  t.is((await listAudit(sql, {limit: 9})).length, 4, 'what is not signed yet stays');

  await upkeep.signHead();
  await upkeep.truncateOld();
  await sql.begin(placeWaitingAudit);
  t.deepEqual(
    (await listAudit(sql, {after: 0, limit: 9})).map(({position, action}) => [position, action]),
    [
      [4, 'test.changed'],
      [5, 'audit.truncated'],
    ],
  );
  t.like(await audit.verdict(), {broken: undefined, truncatedPosition: 3, headPosition: 5});
  const known = {position: noted.position, hash: noted.hash.toString('hex')};
  t.is((await audit.verdict(known)).broken, undefined);
  await t.throwsAsync(audit.verdict({position: 2, hash: known.hash}), {message: /use a later one/});

  await sql`update audit_checkpoints set hash = sha256('x') where truncated`;
  t.regex((await audit.verdict()).broken?.reason ?? '', /forged/);
});

test('when retention has taken everything the next entry follows all the same', async t => {
  await using audit = await setUp();
  const {sql, upkeep} = audit;
  await sql`truncate audit_entries`;
  for (const text of ['a', 'b']) await write(sql, text, new Date(Date.now() - 31 * dayMs));
  await sql.begin(placeWaitingAudit);
  await upkeep.signHead();
  await upkeep.truncateOld();
  await sql.begin(placeWaitingAudit);
  t.like(await audit.verdict(), {broken: undefined, truncatedPosition: 2, headPosition: 3});
  await upkeep.signHead();
  t.is(await audit.broken(), undefined);
});

/** Resolves once that many entries are in their places. */
async function placed(sql: Database, count: number): Promise<void> {
  const changes = createWakeUps();
  await using listening = await listenFor(sql, 'positions', changes.notify);
  void listening;
  for (;;) {
    const seen = changes.version;
    if (((await findAuditHead(sql))?.position ?? 0) >= count) return;
    await changes.after(seen, AbortSignal.timeout(20_000));
  }
}

test('two relays, many writers and rolled back transactions keep one gapless chain', async t => {
  await using audit = await setUp();
  const {sql} = audit;
  await using one = await startRelay({sql, publish, log});
  await using two = await startRelay({sql, publish, log});
  void [one, two];
  const writes = Array.from({length: 200}, (_, index) =>
    sql.begin(async tx => {
      await write(tx, String(index));
      if (index % 4 === 0) throw new Error('rolled back');
    }),
  );
  await Promise.allSettled(writes);
  await placed(sql, 160);
  t.deepEqual(
    (await listAudit(sql, {after: 0, limit: 999})).map(entry => entry.position),
    Array.from({length: 160}, (_, index) => index + 1),
  );
  t.like(await audit.verdict(), {broken: undefined, checked: 160});
});

test('what was committed when everything died before the relay saw it is chained by the next one', async t => {
  await using own = await startPostgres();
  for (const text of ['a', 'b', 'c']) await write(own.sql, text);
  t.is(await findAuditHead(own.sql), undefined);
  await own.stop('SIGKILL');
  await own.start();
  await using relay = await startRelay({sql: own.sql, publish, log});
  void relay;
  await placed(own.sql, 3);
  t.deepEqual(
    (await listAudit(own.sql, {after: 0, limit: 9})).map(entry => entry.resource),
    ['tests/a', 'tests/b', 'tests/c'],
  );
});
