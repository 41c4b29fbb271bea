import {randomUUID} from 'node:crypto';
import {type Timestamp, timestampMs} from '@bufbuild/protobuf/wkt';
import test from 'ava';
import {HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {subjects} from '@muster/runtime/bus.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {connectAgent, createStranger, enrolStranger, readMetric} from '../helpers/stranger.ts';
import {onHostOf, said} from '../helpers/command.ts';

const resendMs = 1000;

const printed = (muster: Muster, line: string) => said(line.split(' '), onHostOf(muster));

/** A machine that speaks as agents do. */
async function joinMachine(muster: Muster, mac: string, serial: string) {
  const stranger = createStranger(muster, {mac, serial});
  const enrolled = await enrolStranger(stranger);
  const nats = await connectAgent(stranger, enrolled);
  const {machineId} = enrolled;
  return {
    machineId,
    async report(disks: readonly object[], nics: readonly object[] = []): Promise<void> {
      const reportId = randomUUID();
      const receipt = nats.subscribe(subjects.command(machineId, 'received'), {max: 1});
      const names = ['disks', 'nics'];
      const collectors = names.map(name => ({name, state: 'STATE_COLLECTED', durationMs: 1}));
      const inventory = {collectTime: new Date().toISOString(), disks, nics, collectors};
      const report = JSON.stringify({reportId, machineId, inventory});
      const publish = () => nats.publish(subjects.agentReport(machineId, 'inventory'), report);
      publish();
      // As agents do: nobody confirms that the bus has it, and right after its start it may not yet.
      const again = setInterval(publish, resendMs);
      for await (const message of receipt)
        if (!message.string().includes(reportId)) throw new Error('Another report was received');
      clearInterval(again);
      // The receipt says that it is kept; what follows from it comes a moment later.
      await until('the inventory to be taken in', async () => {
        const waiting = await muster.postgres.sql`select from hardware_intake`;
        return waiting.length === 0;
      });
    },
    [Symbol.asyncDispose]: () => nats.close(),
  };
}

test('hardware that changes is a version, a path and an issue, and people see all of it', async t => {
  await using muster = await startMuster();
  await using a = await joinMachine(muster, '3c:ec:ef:00:00:01', 'HIST001');
  await using b = await joinMachine(muster, '3c:ec:ef:00:00:02', 'HIST002');
  const disk = (serial: string, verdict = 'VERDICT_PASSED') => ({
    name: 'sda',
    path: 'bay-0',
    model: 'X',
    serial,
    health: {verdict, reason: verdict === 'VERDICT_FAILED' ? 'worn out' : ''},
  });
  const nic = (speedMbps: number) => ({
    name: 'eno1',
    permanentMacAddress: '3c:ec:ef:00:00:01',
    pciAddress: '0000:18:00.0',
    type: 'ethernet',
    link: true,
    speedMbps,
    speedMbpsMax: 10_000,
  });
  await a.report([disk('WD41X')], [nic(10_000)]);
  await a.report([disk('WD41X')], [nic(10_000)]);
  await a.report([disk('WD42X', 'VERDICT_FAILED')], [nic(1000)]);
  await b.report([disk('WD41X')]);

  const history = await printed(muster, 'hardware history HIST001');
  t.regex(history, /^2 .* Disk WD41X \(X\) in slot bay-0 replaced by Disk WD42X \(X\)$/m);
  t.regex(history, /^1 .* 2 +first seen$/m);
  t.is(
    await printed(muster, 'hardware diff HIST001'),
    'Disk WD41X (X) in slot bay-0 replaced by Disk WD42X (X)\n',
  );
  t.like(JSON.parse(await printed(muster, 'hardware diff HIST001 --from 1 --to 2 --json')), {
    changes: {length: 1, 0: {type: 'TYPE_REPLACED'}},
  });
  t.regex(await printed(muster, 'hardware get HIST001'), /^disk {2}sda .* WD42X expects to fail$/m);

  const path = await printed(muster, 'components show wd41x');
  t.regex(path, new RegExp(`^[\\d :-]{19}  [\\d :-]{19}  ${a.machineId}  HIST001 +bay-0$`, 'm'));
  t.regex(path, new RegExp(`^[\\d :-]{19}  now +${b.machineId}  HIST002 +bay-0$`, 'm'));
  t.regex(
    await printed(muster, 'components list --machine HIST001 --kind disk'),
    new RegExp(`^disk  WD42X   X      ${a.machineId}  bay-0  -$`, 'm'),
  );

  const issues = await printed(muster, 'issues list --machine HIST001');
  for (const row of [
    / warning +component_swapped .* open +Disk WD41X \(X\) in slot bay-0 was replaced/,
    / critical +disk_failing .* open +Disk WD42X \(X\) in slot bay-0 expects to fail: worn out/,
    / warning +link_degraded .* open +NIC 3c:ec:ef:00:00:01 .*: Mbit\/s 1000 of 10000/,
  ])
    t.regex(issues, row);
  const id = /^(\S+) +critical/m.exec(issues)?.[1] ?? '';
  t.regex(
    await printed(muster, `issues acknowledge ${id} --note Ordered`),
    /^state +acknowledged$/m,
  );
  t.regex(
    await printed(muster, `issues show ${id}`),
    /^next step +Copy what is only on this disk/m,
  );
  await a.report([disk('WD42X')], [nic(10_000)]);
  t.regex(await printed(muster, `issues show ${id}`), /^cleared because +The disk passes again$/m);

  const events = await printed(muster, 'events list --machine HIST001');
  t.deepEqual(
    Array.from(events.matchAll(/ ((?:hardware|issue)\.\w+) /g), ([, type]) => type),
    [
      'hardware.reported',
      'hardware.changed',
      'issue.raised',
      'issue.raised',
      'issue.raised',
      'issue.acknowledged',
      'hardware.changed',
      'issue.cleared',
      'issue.cleared',
    ],
  );
});

test('an unchanged report moves the time of the last word and nothing else', async t => {
  await using muster = await startMuster();
  await using machine = await joinMachine(muster, '3c:ec:ef:00:00:01', 'HIST001');
  const hardware = muster.client(HardwareService);
  const {machineId} = machine;
  const timeOf = (time: Timestamp | undefined) => (time ? timestampMs(time) : Number.NaN);
  const versions = async () => (await hardware.listHardwareVersions({machineId})).versions;
  const rowOf = async () =>
    (await muster.postgres.sql`select body, update_time from machine_hardware`)[0];

  await machine.report([{name: 'sda', serial: 'WD41X'}]);
  const [first] = await versions();
  const row = await rowOf();
  await machine.report([{name: 'sda', serial: 'WD41X'}]);
  const [second, ...others] = await versions();
  t.deepEqual(others, []);
  t.deepEqual(await rowOf(), row);
  t.true(timeOf(second?.confirmTime) > timeOf(first?.confirmTime));
  await until('both reports to be counted', async () => {
    const line = 'muster_agent_reports_total{outcome="committed",kind="inventory"}';
    return (await readMetric(muster.serverUrl, line)) === 2;
  });
});
