import {randomUUID} from 'node:crypto';
import {jetstreamManager} from '@nats-io/jetstream';
import test from 'ava';
import {streams, subjects} from '@muster/runtime/bus.ts';
import {connectAsAll} from '../helpers/fleet-bus.ts';
import {startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';

const machinesCount = 120;
const receiptsBeforeKill = 20;

/** Large enough for a burst to take a while. */
const devices = Array.from({length: 300}, (_, index) => ({
  address: `0000:${index.toString(16).padStart(2, '0')}:00.0`,
  vendorId: '8086',
  deviceId: '2030',
  driver: 'pcieport',
}));

test('a server killed between receiving inventories and taking them in loses none and does nothing twice', async t => {
  await using muster = await startMuster();
  await using bus = await connectAsAll(muster);
  const {nats} = bus;
  const {sql} = muster.postgres;
  const manager = await jetstreamManager(nats);
  await until('the stream of reports', () => manager.streams.info(streams.REPORTS.name));
  const time = new Date();
  const times = {stateTime: time, createTime: time, updateTime: time};
  const machines = Array.from({length: machinesCount}, () => randomUUID());
  await sql`insert into machines ${sql(machines.map(id => ({id, state: 'enrolled', ...times})))}`;

  const received = new Set<string>();
  nats.subscribe('muster.commands.*.received', {
    callback: (_error, message) => void received.add(message.subject.split('.')[2] ?? ''),
  });
  await nats.flush();
  const reports = new Map(
    machines.map((machineId, index) => {
      const disks = [{name: 'sda', path: 'p', serial: `S5Y1NJ0R${1000 + index}`}];
      const inventory = {disks, pciDevices: devices};
      return [machineId, JSON.stringify({reportId: randomUUID(), machineId, inventory})];
    }),
  );
  // As agents do, until each has its receipt.
  const send = () => {
    for (const [machineId, report] of reports)
      if (!received.has(machineId))
        nats.publish(subjects.agentReport(machineId, 'inventory'), report);
  };
  send();
  const waiting = async () => (await sql`select from hardware_intake`).length;
  while (received.size < receiptsBeforeKill) await new Promise(resolve => setImmediate(resolve));
  await muster.server.stop('SIGKILL');
  t.true((await waiting()) > 0, 'it died before it had taken in what it received');
  const known = await sql`select from agent_reports`;
  t.true(known.length >= received.size, 'a receipt is never earlier than the commit');

  muster.server.start();
  await until('all receipts', async () => {
    send();
    return received.size === machinesCount;
  });
  await until('everything to be taken in', async () => (await waiting()) === 0);
  const count = async (rows: Promise<readonly unknown[]>) => (await rows).length;
  t.is(await count(sql`select from hardware_versions`), machinesCount);
  t.is(await count(sql`select from machine_hardware`), machinesCount);
  t.is(await count(sql`select from events where type = 'hardware.reported'`), machinesCount);
  t.is(await count(sql`select from component_stays where leave_time is null`), machinesCount);
});
