import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createClient, createRouterTransport} from '@connectrpc/connect';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {buildersDurable, ensureStreams, streams, subjects} from '@muster/runtime/bus.ts';
import {jetstreamManager} from '@nats-io/jetstream';
import {createOutages} from '@muster/runtime/log.ts';
import test from 'ava';
import {startJobLab} from '../test/helpers/job-lab.ts';
import {keepLines, levels} from '../test/helpers/logged-lines.ts';
import {startNats} from '../test/helpers/nats.ts';
import {until} from '../test/helpers/processes.ts';
import {openBusSession} from './bus-session.ts';
import {loadIdentity} from './identity.ts';
import {startSlots} from './job-slots.ts';

function keepOutages() {
  const {log, lines} = keepLines();
  const count = (level: number) => lines.filter(line => line.level === level).length;
  let passedMs = 0;
  return {
    log,
    outages: createOutages(log, () => performance.now() + passedMs),
    passMinutes: (minutes: number) => (passedMs += minutes * 60_000),
    told: () => lines.filter(({level}) => level >= levels.info).map(({msg}) => msg),
    /** Failures that wrote no line of their own. */
    tries: (more: number) => {
      const before = count(levels.debug);
      return until(`${more} more tries`, async () => count(levels.debug) >= before + more);
    },
  };
}

test('slots without their queue write one line for all of them, and one when it is there', async t => {
  t.timeout(120_000);
  const {log, outages, told, tries} = keepOutages();
  await using lab = await startJobLab({
    durable: buildersDurable,
    subject: subjects.buildJob,
    idField: 'buildId',
  });
  const done: string[] = [];
  const queue = {
    noun: 'build',
    idField: 'buildId',
    consumer: lab.consumer,
    work: async (id: string) => void done.push(id),
    outages,
    log,
  };
  await using _slots = startSlots(queue, 3);
  await lab.queue('first');
  await until('the first job', async () => done.length === 1);
  t.deepEqual(told(), []);

  const manager = await jetstreamManager(lab.connection);
  const {config} = await manager.consumers.info(streams.JOBS.name, buildersDurable);
  await manager.streams.delete(streams.JOBS.name);
  await tries(6);
  t.deepEqual(told(), ['cannot take a build from the queue, trying again']);
  await ensureStreams(manager);
  await manager.consumers.add(streams.JOBS.name, config);
  await until('a line that it is back', async () => told().length > 1);
  t.deepEqual(told().slice(1), ['there again: the queue of builds']);
  await lab.queue('second');
  await until('the second job', async () => done.length === 2);
});

test('a connection that is lost, or never there, is told once; a new credential is no loss', async t => {
  t.timeout(120_000);
  const {log, outages, told, tries, passMinutes} = keepOutages();
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const directory = await mkdtemp(path.join(tmpdir(), 'muster-bus-'));
  stack.defer(() => rm(directory, {recursive: true, force: true}));
  const identity = await loadIdentity(directory);
  let issued = 0;
  const transport = createRouterTransport(router =>
    router.service(ServiceService, {
      async issueServiceCredential() {
        issued += 1;
        return {
          natsJwt: await nats.issueAgent('builder-1', identity.publicKey),
          natsServers: [nats.address],
          siteCa: nats.siteCa,
          // The second one is renewed no more.
          expiresInSeconds: issued === 1 ? 1 : 3600,
        };
      },
    }),
  );
  const services = createClient(ServiceService, transport);
  const {signal} = new AbortController();
  await nats.stop();
  const opening = openBusSession({services, serviceId: 'builder-1'}, identity, {
    signal,
    log,
    outages,
  });
  await tries(1);
  t.deepEqual(told(), ['cannot connect to NATS, trying again']);
  await nats.start();
  const session = stack.use(await opening);
  t.deepEqual(told().slice(1), ['there again: NATS']);

  await until('a second credential', async () => issued === 2);
  await until('the old connection is left', async () => !session.connected());
  await until('a login with it', async () => session.connected());
  t.is(told().length, 2);

  passMinutes(2);
  await nats.stop('SIGKILL');
  await tries(2);
  t.deepEqual(told().slice(2), ['lost NATS, trying again']);
  await nats.start();
  await until('the end of the outage', async () => told().length > 3);
  t.deepEqual(told().slice(3), ['there again: NATS']);
});
