import test from 'ava';
import {startIssueLab} from '../../test/helpers/issues.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

const postgres = postgresOf(test);

test('offline: an ACTIVE machine that is silent for ten minutes, until it has been heard for one', async t => {
  await using lab = await startIssueLab(postgres);
  const {machineId} = await lab.active();
  const lastSeen = lab.now();
  lab.passMs(9 * minute);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);

  lab.passMs(2 * minute);
  await lab.look(machineId);
  const [issue] = await lab.list(machineId);
  t.like(issue, {source: 'rules', kind: 'offline', severity: 'critical', component: ''});
  t.deepEqual(issue?.sinceTime, lastSeen, 'since it was last heard, not since it was noticed');
  t.deepEqual(issue?.raiseTime, lab.now());
  t.deepEqual(issue?.evidence, {
    state: 'active',
    last_seen_time: lastSeen.toISOString(),
    silent_after_seconds: 30,
  });
  t.regex(issue?.nextStep ?? '', /power-cycle it/);

  await lab.seen(machineId);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), ['offline critical gone']);
  lab.passMs(61 * second);
  await lab.seen(machineId);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
  t.deepEqual(await lab.told(machineId), ['issue.raised offline', 'issue.cleared offline']);
});

test('offline: nothing is said of what the server itself could not hear', async t => {
  await using lab = await startIssueLab(postgres);
  const {machineId} = await lab.active();
  lab.setBus({connected: false, since: lab.now()});
  lab.passMs(5 * hour);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);

  lab.setBus({connected: true, since: lab.now()});
  lab.passMs(9 * minute);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), [], 'agents have time to come back');
  lab.passMs(2 * minute);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), ['offline critical']);

  lab.setBus({connected: false, since: lab.now()});
  lab.passMs(hour);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), ['offline critical'], 'nobody knows that it is over');
});

test('offline: a machine that somebody takes out of service is not missed any more', async t => {
  await using lab = await startIssueLab(postgres);
  const {machineId} = await lab.active();
  lab.passMs(20 * minute);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), ['offline critical']);
  const retire = {machineId, to: 'retiring', actor: 'user:olga', reason: 'sold'} as const;
  await lab.sql.begin(tx => lab.transitions.transition(tx, retire));
  await lab.look(machineId);
  const [cleared] = await lab.list(machineId, 'any');
  t.is(cleared?.clearReason, 'The machine is RETIRING now');
});

test('a machine that flaps has one issue, told once', async t => {
  await using lab = await startIssueLab(postgres);
  const {machineId} = await lab.active();
  lab.passMs(11 * minute);
  await lab.look(machineId);
  for (let round = 0; round < 20; round++) {
    await lab.seen(machineId);
    lab.passMs(20 * second);
    await lab.look(machineId);
    lab.passMs(20 * second);
    await lab.look(machineId);
  }
  t.is((await lab.list(machineId, 'any')).length, 1);
  t.deepEqual(await lab.told(machineId), ['issue.raised offline']);
});

test('a value that comes and goes quickly is no issue', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  for (let round = 0; round < 20; round++) {
    await lab.measure(machineId, {temperature: round % 2 === 0 ? 95 : 70});
    await lab.look(machineId);
    lab.passMs(30 * second);
  }
  t.deepEqual(await lab.told(machineId), []);
});

test('temperature: hot for five minutes, until it has been cool for five', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  const began = lab.now();
  const hot = {
    temperature: 95.4,
    sensors: [
      {name: 'coretemp Core 0', temperature: 88},
      {name: 'coretemp Core 1', temperature: 95.4},
    ],
  };
  const forMinutes = async (minutes: number, metrics: typeof hot | {temperature: number}) => {
    for (let count = 0; count < minutes; count++) {
      await lab.measure(machineId, metrics);
      await lab.look(machineId);
      lab.passMs(minute);
    }
  };
  await forMinutes(5, hot);
  t.deepEqual(await lab.open(machineId), []);
  await forMinutes(1, hot);
  const [issue] = await lab.list(machineId);
  t.like(issue, {
    kind: 'temperature',
    severity: 'warning',
    summary: 'Its hottest sensor (coretemp Core 1) is at 95 °C',
  });
  t.deepEqual(issue?.sinceTime, began);
  t.like(issue?.evidence, {
    celsius: 95.4,
    sensors: {'coretemp Core 1': 95.4, 'coretemp Core 0': 88},
  });

  await forMinutes(10, {temperature: 87});
  t.deepEqual(await lab.open(machineId), ['temperature warning'], 'below 90, but not below 85');
  await forMinutes(5, {temperature: 60});
  t.deepEqual(await lab.open(machineId), ['temperature warning gone']);
  await forMinutes(1, {temperature: 60});
  t.deepEqual(await lab.open(machineId), []);
});

test('what waits to become an issue outlives a restart of the server', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  const began = lab.now();
  await lab.measure(machineId, {temperature: 95});
  await lab.look(machineId);
  lab.passMs(6 * minute);
  await lab.measure(machineId, {temperature: 95});
  await lab.startEvaluation().evaluate([machineId]);
  t.deepEqual((await lab.list(machineId))[0]?.sinceTime, began);
});

test('what was not measured for a while does not count as lasting', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  await lab.measure(machineId, {temperature: 95});
  await lab.look(machineId);
  lab.passMs(20 * minute);
  await lab.look(machineId);
  await lab.measure(machineId, {temperature: 95});
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
});

test('fan: one that has stopped for three minutes, until it turns for three', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  const fans = (rpm: number) => ({
    fans: [
      {name: 'nct6775 fan1', rpm: 1200},
      {name: 'nct6775 fan2', rpm},
    ],
  });
  const forMinutes = async (minutes: number, rpm: number) => {
    for (let count = 0; count < minutes; count++) {
      await lab.measure(machineId, fans(rpm));
      await lab.look(machineId);
      lab.passMs(minute);
    }
  };
  await forMinutes(3, 0);
  t.deepEqual(await lab.open(machineId), []);
  await forMinutes(1, 0);
  t.like((await lab.list(machineId))[0], {
    kind: 'fan',
    component: 'nct6775 fan2',
    severity: 'critical',
    evidence: {rpm: 0},
  });
  await forMinutes(4, 1100);
  t.deepEqual(await lab.open(machineId), []);
});

test('two servers that look at once raise one issue, and clear it once', async t => {
  await using lab = await startIssueLab(postgres);
  const {machineId} = await lab.active();
  const servers = [lab.evaluation, lab.startEvaluation(), lab.startEvaluation()];
  const look = () => Promise.all(servers.map(server => server.evaluate([machineId])));
  lab.passMs(11 * minute);
  await look();
  t.deepEqual(await lab.told(machineId), ['issue.raised offline']);
  await lab.seen(machineId);
  await look();
  lab.passMs(2 * minute);
  await lab.seen(machineId);
  await look();
  t.deepEqual(await lab.told(machineId), ['issue.raised offline', 'issue.cleared offline']);
});
