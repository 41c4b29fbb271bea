import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {jetstreamManager} from '@nats-io/jetstream';
import test from 'ava';
import {findMachine} from '@muster/cli/lab/journey.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  buildersDurable,
  imageTestsDurable,
  streams,
  validationsDurable,
} from '@muster/runtime/bus.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {ready, until} from '../helpers/processes.ts';
import {connectAsServer, createStranger, enrolStranger} from '../helpers/stranger.ts';

const warnLevel = 40;

const readLog = async ({folder}: Muster, name: string): Promise<readonly string[]> =>
  (await readFile(join(folder, 'log', `${name}.log`), 'utf8')).split('\n').filter(line => line);

/** What a person sees of it at the terminal of `up` as a warning or an error. */
const troubles = async (muster: Muster, name: string): Promise<readonly string[]> =>
  (await readLog(muster, name))
    .map(line => JSON.parse(line) as {level: number; msg: string; err?: {message: string}})
    .filter(({level}) => level >= warnLevel)
    .map(({msg, err}) => (err ? `${msg}: ${err.message}` : msg));

/** The builder waits for jobs of every kind, or has one. */
async function takesJobs(muster: Muster): Promise<void> {
  await using server = await connectAsServer(muster);
  const manager = await jetstreamManager(server.nats);
  for (const durable of [buildersDurable, validationsDurable, imageTestsDurable])
    await until(`a builder at ${durable}`, async () => {
      const info = await manager.consumers.info(streams.JOBS.name, durable);
      return info.num_waiting + info.num_ack_pending > 0;
    });
}

test('a first start on empty folders, in order, is quiet', async t => {
  t.timeout(180_000);
  await using muster = await startMuster();
  muster.builder.start();
  await ready(`${muster.builderUrl}/readyz`);
  await takesJobs(muster);

  t.deepEqual(await troubles(muster, 'server'), [
    'no administrator yet: "muster admin setup-link" prints a link that makes one',
  ]);
  t.deepEqual(await troubles(muster, 'builder'), []);
  t.deepEqual(await troubles(muster, 'edge'), []);
  const said = await readLog(muster, 'nats');
  t.true(said.some(line => line.includes('Server is ready')));
  t.deepEqual(
    said.filter(line => /\[(?:WRN|ERR|FTL)\]/.test(line)),
    [],
  );
});

test('looking for a machine that is not there yet is no refused call', async t => {
  t.timeout(180_000);
  await using muster = await startMuster();
  const machines = muster.client(MachineService);
  const mac = '52:54:00:ab:00:01';
  t.is(await findMachine({machines}, mac), undefined);
  const {machineId} = await enrolStranger(createStranger(muster, {mac, serial: 'LATE-1'}));
  t.is((await findMachine({machines}, mac))?.id, machineId);
  t.deepEqual(
    (await readLog(muster, 'server')).filter(line => line.includes('call refused')),
    [],
  );
});
