import {FinishBuildRequest_Outcome} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import test from 'ava';
import {createTestBuilds, succeededWith} from '../../test/helpers/builds.ts';
import {enrolWith, reportHardware} from '../../test/helpers/first-inventory.ts';
import {startIssueLab} from '../../test/helpers/issues.ts';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {addImage, evidenceWith, newAgentKey} from '../../test/helpers/server-machines.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const postgres = postgresOf(test);

test('crash_loop: five boots within an hour, until there is at most one', async t => {
  await using lab = await startIssueLab(postgres);
  const {machineId, image} = await lab.active();
  const began = lab.now();
  // It has booted twice: to enrol, and into its image.
  for (let boot = 3; boot <= 5; boot++) {
    t.deepEqual(await lab.open(machineId), []);
    lab.passMs(3 * minute);
    await lab.hello(machineId, {image, bootId: `b${boot}`, session: `s${boot}`});
    await lab.look(machineId);
  }
  const [issue] = await lab.list(machineId);
  t.like(issue, {kind: 'crash_loop', severity: 'critical', evidence: {boots: 5}});
  t.deepEqual(issue?.sinceTime, began);

  lab.passMs(56 * minute);
  await lab.seen(machineId);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), ['crash_loop critical'], 'two of them are within an hour');
  lab.passMs(3 * minute);
  await lab.seen(machineId);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
});

test('stuck: in a state for longer than its limit, until the machine moves on', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  const began = lab.now();
  lab.passMs(7 * day + minute);
  await lab.look(machineId);
  const [issue] = await lab.list(machineId);
  t.like(issue, {
    kind: 'stuck',
    component: 'enrolled',
    severity: 'warning',
    nextStep: 'Give it a configuration and start a build',
    evidence: {limit_seconds: 604_800},
  });
  t.deepEqual(issue?.sinceTime, began);
  await lab.desire(machineId, await addImage(lab.sql, {}));
  await lab.look(machineId);
  t.false((await lab.open(machineId)).includes('stuck warning'));
  t.true((await lab.told(machineId)).includes('issue.cleared stuck'));
});

test('disk_failing: one issue from the first bad sectors to the verdict, until the disk passes', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  const report = async (health: Record<string, string | number>) => {
    lab.passMs(minute);
    const disks = [{name: 'sda', path: 'bay-0', serial: 'WD42X', model: 'X', health}];
    await reportHardware(lab, machineId, {disks});
    return lab.open(machineId);
  };
  t.deepEqual(await report({verdict: 'VERDICT_PASSED', reallocatedSectors: '49'}), []);
  t.deepEqual(await report({verdict: 'VERDICT_PASSED', reallocatedSectors: '50'}), [
    'disk_failing warning',
  ]);
  t.deepEqual(await report({verdict: 'VERDICT_FAILED', reason: 'worn out'}), [
    'disk_failing critical',
  ]);
  t.regex((await lab.list(machineId))[0]?.summary ?? '', /expects to fail: worn out/);
  t.deepEqual(await report({verdict: 'VERDICT_PASSED'}), []);
  t.deepEqual(await report({verdict: 'VERDICT_PASSED', percentageUsed: 95}), [
    'disk_failing warning',
  ]);
  t.deepEqual(await lab.told(machineId), [
    'issue.raised disk_failing',
    'issue.changed disk_failing',
    'issue.cleared disk_failing',
    'issue.raised disk_failing',
  ]);
});

test('clock_skew: wrong at hellos of more than an hour, until one is right', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  for (let half = 0; half <= 3; half++) {
    t.deepEqual(await lab.open(machineId), []);
    await lab.hello(machineId, {skewMs: -7500});
    await lab.look(machineId);
    lab.passMs(30 * minute);
  }
  t.like((await lab.list(machineId))[0], {
    kind: 'clock_skew',
    severity: 'warning',
    summary: 'Its clock is 7.5 s behind',
    evidence: {skew_seconds: -7.5},
  });
  await lab.hello(machineId, {skewMs: -3000});
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), ['clock_skew warning'], 'less than 5 s, but not than 2 s');
  await lab.hello(machineId, {skewMs: 20});
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
});

test('agent_outdated: older than the server for a day, until a new one says hello', async t => {
  await using lab = await startIssueLab(postgres);
  const machineId = await lab.enrolled();
  await lab.hello(machineId, {version: '2.0.9'});
  await lab.look(machineId);
  lab.passMs(day);
  await lab.seen(machineId);
  await lab.look(machineId);
  t.like((await lab.list(machineId))[0], {
    kind: 'agent_outdated',
    severity: 'info',
    evidence: {agent_version: '2.0.9', server_version: '2.1.0'},
  });
  await lab.hello(machineId, {version: '2.1.0'});
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
});

test('image_drift: another image than the desired one for a day, until it boots that', async t => {
  await using lab = await startIssueLab(postgres);
  const {machineId} = await lab.active();
  const wanted = await addImage(lab.sql, {});
  await lab.desire(machineId, wanted);
  const began = lab.now();
  await lab.look(machineId);
  lab.passMs(day - minute);
  await lab.seen(machineId);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
  lab.passMs(minute);
  await lab.seen(machineId);
  await lab.look(machineId);
  const [issue] = await lab.list(machineId);
  t.like(issue, {kind: 'image_drift', evidence: {desired_image_id: wanted.id}});
  t.deepEqual(issue?.sinceTime, began);
  await lab.hello(machineId, {image: wanted, bootId: 'b2', session: 's2'});
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
});

test('duplicate_identity: a quarantined machine, until somebody accepts it', async t => {
  await using lab = await startIssueLab(postgres);
  const mac = '3c:ec:ef:00:00:07';
  const enrol = async (boot: string) =>
    lab.enrolment.enrol({
      bootToken: await lab.token({session: boot, mac}),
      publicKey: newAgentKey(),
      evidence: evidenceWith({systemSerial: 'TWIN42', macAddresses: [mac]}),
      bootId: boot,
      imageInputKey: '',
      agentVersion: '1',
    });
  const {machineId} = await enrol('first');
  await enrol('second');
  await lab.hello(machineId, {bootId: 'second', session: 'second'});
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
  // The agent whose key was replaced is there, too: two boxes have one identity.
  lab.passMs(minute);
  await lab.hello(machineId, {bootId: 'first', session: 'first'});
  await lab.look(machineId);
  const [issue] = await lab.list(machineId);
  t.like(issue, {kind: 'duplicate_identity', severity: 'critical'});
  t.regex(issue?.summary ?? '', /^It is quarantined: An agent key that was replaced is still/);
  await lab.machines.accept('user:olga', machineId);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), []);
});

test('no_bmc: a whole inventory of a real machine without one, until there is one', async t => {
  await using lab = await startIssueLab(postgres);
  const bmcIs = (state: string) => ({collectors: [{name: 'bmc', state}]});
  const report = async (machineId: string, hardware: object) => {
    lab.passMs(minute);
    await reportHardware(lab, machineId, hardware as never);
    await lab.look(machineId);
    return lab.open(machineId);
  };
  const machineId = await lab.enrolled();
  const system = {manufacturer: 'Dell Inc.', product: 'PowerEdge R650'};
  t.deepEqual(await report(machineId, {system, ...bmcIs('STATE_FAILED')}), []);
  t.deepEqual(await report(machineId, {system, ...bmcIs('STATE_ABSENT')}), ['no_bmc info']);
  const found = {bmc: {macAddress: '3c:ec:ef:0a:0b:0c'}, ...bmcIs('STATE_COLLECTED')};
  t.deepEqual(await report(machineId, {system, ...found}), []);

  for (const virtual of [
    {system: {manufacturer: 'QEMU', product: 'Standard PC'}},
    {system, cpus: [{socket: '0', flags: ['fpu', 'hypervisor']}]},
  ])
    t.deepEqual(await report(await lab.enrolled(), {...virtual, ...bmcIs('STATE_ABSENT')}), []);
});

test('build_failing: two builds in a row that failed, until one succeeds', async t => {
  await using lab = await startIssueLab(postgres);
  await using builds = await createTestBuilds(lab.sql);
  const machineId = await lab.enrolled();
  await lab.sql`update machines set image_config = ${lab.sql.json({hostName: 'web-1', packages: [], sshAuthorizedKeys: [], files: [], kernelArguments: []})} where id = ${machineId}`;
  const builder = builds.builder('b1');
  const build = async (succeeds: boolean) => {
    const buildId = (await builds.client.createBuild({machineId})).build?.id ?? '';
    const {spec, attempt} = await builder.claimBuild({buildId});
    const failed = {outcome: FinishBuildRequest_Outcome.FAILED, error: 'No package "ngnix"'};
    const end = succeeds ? succeededWith(spec, buildId) : failed;
    await builder.finishBuild({buildId, attempt, ...end});
    lab.clock.now = new Date();
    await lab.look(machineId);
    return lab.open(machineId);
  };
  t.deepEqual(await build(false), []);
  const firstEnd = lab.now().getTime();
  t.deepEqual(await build(false), ['build_failing warning']);
  const [issue] = await lab.list(machineId);
  t.like(issue, {
    summary: 'Its last 2 builds failed: No package "ngnix"',
    evidence: {failed_builds: 2},
  });
  t.true((issue?.sinceTime.getTime() ?? Infinity) <= firstEnd);
  t.deepEqual(await build(true), []);
  t.deepEqual(await build(false), [], 'one alone is none');
});

test('a machine that is deleted takes its issues and what waited along', async t => {
  await using lab = await startIssueLab(postgres);
  const {machineId} = await enrolWith(lab, {
    systemSerial: 'GONE42',
    macAddresses: ['3c:ec:ef:00:00:42'],
  });
  await lab.measure(machineId, {temperature: 95});
  await lab.look(machineId);
  lab.passMs(8 * day);
  await lab.look(machineId);
  t.deepEqual(await lab.open(machineId), ['stuck warning']);
  await lab.removal.remove('user:olga', machineId);
  for (const table of ['issues', 'issue_conditions', 'issue_mutes'])
    t.is((await lab.sql`select from ${lab.sql(table)}`).length, 0, table);
  t.is(await lab.look(machineId), 0);
});
