import {randomUUID} from 'node:crypto';
import {silentLogger as log} from '@muster/runtime/log.ts';
import test from 'ava';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {allBoots, wireMachines} from '../../test/helpers/server-machines.ts';
import {listenFor} from '../store/notifications.ts';
import {startMachineReconciler} from './machines.ts';

test('a boot that fell silent is stalled once, by whichever server sees it, and goes on when it is heard again', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  const server = await wireMachines(sql);
  const {clock, bootSessions} = server;
  const start = clock.now.getTime();
  const client = {
    macAddresses: ['3c:ec:ef:00:00:0a'],
    uuid: '',
    serial: '',
    ipAddress: '',
    platform: '',
    manufacturer: '',
    product: '',
    session: 's1',
  };
  const hop = (kind: 'script' | 'kernel') => ({
    id: randomUUID(),
    kind,
    time: clock.now,
    session: 's1',
    client,
    detail: 'vmlinuz 200',
    bytes: 1,
    complete: true,
    imageId: '',
  });
  const {machine} = await server.boot.resolve(client, 'edge:e');
  await bootSessions.report([hop('script')]);

  const stalled = Promise.withResolvers<void>();
  await using _listening = await listenFor(sql, 'events', () => {
    void sql`select 1 from events where type = 'boot_session.stalled'`.then(
      rows => rows.length && stalled.resolve(),
    );
  });
  clock.now = new Date(start + 121_000);
  const deps = {...server, sql, now: () => clock.now, log};
  await using _one = startMachineReconciler(deps);
  await using _two = startMachineReconciler(deps);
  await stalled.promise;

  const machineId = machine?.id ?? '';
  const view = async () =>
    (await server.timeline.list({...allBoots, machineId, pageSize: 1, pageToken: ''})).views[0];
  t.regex(
    (await view())?.diagnosis ?? '',
    /^Stopped: it got its boot script, but the kernel request did not come/,
  );
  clock.now = new Date(start + 130_000);
  await bootSessions.report([hop('kernel')]);
  t.like(await view(), {
    session: {state: 'open', endTime: undefined},
    diagnosis: 'it fetched the kernel (vmlinuz 200); now waiting for the initrd, 0 s so far',
  });
  t.is((await sql`select 1 from events where type = 'boot_session.stalled'`).length, 1);
});
