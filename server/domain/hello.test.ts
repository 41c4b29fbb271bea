import {randomUUID} from 'node:crypto';
import test from 'ava';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {
  addImage,
  newAgentKey,
  evidenceWith,
  wireMachines,
} from '../../test/helpers/server-machines.ts';

/** More than there are connections to PostgreSQL. */
const atOnce = 60;

test('a rack that powers on at once is heard: no transaction waits for a second connection', async t => {
  await using postgres = await startPostgres();
  await using database = await postgres.createDatabase();
  const {sql} = database;
  const server = await wireMachines(sql);
  const image = await addImage(sql, {kind: 'registration'});
  const boots = Array.from({length: atOnce}, (_, index) => ({
    session: `session-${index}`,
    mac: `3c:ec:ef:00:01:${index.toString(16).padStart(2, '0')}`,
    bootId: randomUUID(),
  }));
  const enrolled = [];
  for (const [index, {session, mac, bootId}] of boots.entries())
    enrolled.push(
      await server.enrolment.enrol({
        bootToken: await server.token({session, mac, imageId: image.id}),
        publicKey: newAgentKey(),
        evidence: evidenceWith({systemSerial: `RACK-${index}-A`, macAddresses: [mac]}),
        imageInputKey: image.inputKey,
        bootId,
        agentVersion: '1',
      }),
    );
  const heard = await Promise.all(
    enrolled.map(({machineId}, index) =>
      sql.begin(tx =>
        server.hellos.hear(tx, machineId, {
          bootSession: boots[index]?.session ?? '',
          bootId: boots[index]?.bootId ?? '',
          imageInputKey: image.inputKey,
          agentVersion: '1',
          machineTime: undefined,
          heardTime: new Date(),
        }),
      ),
    ),
  );
  t.true(heard.every(Boolean));
  const [row] = await sql`select count(*)::int as count from machines where in_registration`;
  t.is(row?.count, atOnce);
});
