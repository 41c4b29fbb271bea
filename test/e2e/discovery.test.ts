import {randomUUID} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {subjects} from '@muster/runtime/bus.ts';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {until} from '../helpers/processes.ts';
import {connectAgent, createStranger, enrolStranger} from '../helpers/stranger.ts';
import {onHostOf, runCommand} from '../helpers/command.ts';

const resendMs = 1000;
const run = (muster: Muster, ...args: string[]) => runCommand(args, onHostOf(muster));

async function said(muster: Muster, ...args: string[]): Promise<string> {
  const {status, stdout, stderr} = await run(muster, ...args);
  if (status !== 0) throw new Error(`muster ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

async function rest(muster: Muster, method: string, path: string, body?: object) {
  const response = await fetch(`${muster.serverUrl}/api/v1/${path}`, {
    method,
    headers: {authorization: `Bearer ${await muster.localToken()}`},
    ...(body && {body: JSON.stringify(body)}),
  });
  return {status: response.status, json: (await response.json()) as never};
}

/** A machine that nobody knew, up to the receipt of its first inventory. */
async function arrive(muster: Muster, mac: string, serial: string, memoryGib: number) {
  const stranger = createStranger(muster, {mac, serial});
  const enrolled = await enrolStranger(stranger);
  const nats = await connectAgent(stranger, enrolled);
  const {machineId} = enrolled;
  const reportId = randomUUID();
  const receipt = nats.subscribe(subjects.command(machineId, 'received'), {max: 1});
  const inventory = {
    memory: {totalBytes: String(memoryGib * 2 ** 30)},
    lldpNeighbours: [{interface: 'eno1', systemName: 'tor-7', portId: 'Eth12'}],
  };
  const publish = () =>
    nats.publish(
      subjects.agentReport(machineId, 'inventory'),
      JSON.stringify({reportId, machineId, inventory}),
    );
  publish();
  // As agents do: nobody confirms that the bus has it.
  const again = setInterval(publish, resendMs);
  for await (const message of receipt)
    if (!message.string().includes(reportId)) throw new Error('Another report was received');
  clearInterval(again);
  return {machineId, [Symbol.asyncDispose]: () => nats.close()};
}

test('rules decide about machines that boot, and people see why, over REST and from the command line', async t => {
  await using muster = await startMuster({serverEnv: {ACCEPTANCE_POLICY: 'approve'}});
  await said(muster, 'groups', 'create', 'storage', '--priority', '5');
  await said(
    muster,
    ...['groups', 'set-boot-profile', 'storage', '--serial-console', 'ttyS0,115200'],
  );
  const big = ['--condition', 'hardware.memory_bytes >= 128GiB', '--decision', 'accept'];
  t.regex(
    await said(muster, 'rules', 'create', 'big', ...big, '--group', 'storage', '--label', 'tier=x'),
    /^group +storage$/m,
  );
  const made = await rest(muster, 'POST', 'rules', {
    name: 'small',
    priority: -5,
    condition: 'hardware.memory_bytes < 128GiB',
    decision: 'hold',
    boot_profile: {packages: ['htop']},
  });
  t.like(made, {status: 200, json: {name: 'small', decision: 'hold', priority: -5}});
  await using a = await arrive(muster, '3c:ec:ef:00:00:01', 'DISC001', 256);
  await using b = await arrive(muster, '3c:ec:ef:00:00:02', 'DISC002', 16);

  t.like((await rest(muster, 'GET', `machines/${a.machineId}`)).json, {
    state: 'enrolled',
    state_reason: 'Rule "big" accepts it',
    labels: {tier: 'x'},
  });
  t.regex(
    await said(muster, 'machines', 'configuration', 'DISC001'),
    /^serial_console +group storage +ttyS0,115200$/m,
  );
  t.regex(await said(muster, 'events', 'list', '--machine', 'DISC001'), /rule_applied.*rule:big/);
  const explained = await said(muster, 'rules', 'explain', 'DISC002');
  t.regex(
    explained,
    /^0 +big +no +It does not match: .*does not hold \(the machine has "17179869184"\)/m,
  );
  t.regex(explained, /^-5 +small +yes /m);
  t.regex(explained, /^decision +HOLD by rule small$/m);
  t.like((await rest(muster, 'GET', `machines/${b.machineId}/rules`)).json, {
    rules: [
      {name: 'big', matched: false},
      {name: 'small', matched: true},
    ],
    verdict: {decision: 'hold', decision_rule: 'small', gifts: [{rule: 'small', value: 'htop'}]},
  });
  const queue = await said(muster, 'machines', 'pending');
  t.regex(queue, /^serial +DISC002$/m);
  t.regex(queue, /^switch ports +eno1 at tor-7 Eth12$/m);
  t.regex(queue, /^held by +rule small$/m);

  t.regex(
    await said(muster, 'rules', 'test', '--condition', 'hardware.memory_bytes > 1G'),
    /^Would match 2, of which 1 wait$/m,
  );
  const tried = await rest(muster, 'POST', 'rules/test', {rule_id: 'small'});
  t.like(tried.json, {match_count: 1, waiting_count: 1, sample: [{id: b.machineId}]});
  await said(muster, 'rules', 'update', 'small', '--decision', 'accept', '--priority', '1');
  t.is(await said(muster, 'rules', 'apply'), 'Asked about 1: 1 accepted, 0 rejected, 0 wait\n');
  t.is((await run(muster, 'machines', 'pending')).stderr, 'No machine waits\n');
  t.regex(await said(muster, 'rules', 'list'), /^1 +small[^]*^0 +big/m);
  t.is((await rest(muster, 'DELETE', 'rules/small')).status, 200);
  t.is((await run(muster, 'rules', 'get', 'small')).status, 5);
});

test('records are imported, merged, split and banned, and a banned box is told so by its boot script', async t => {
  await using muster = await startMuster({serverEnv: {ACCEPTANCE_POLICY: 'approve'}});
  const file = join(muster.folder, 'rack7.csv');
  await writeFile(file, 'serial,macs,hostname\nWRONG01,,web1\n,zz,web2\n');
  const refused = await run(muster, 'machines', 'import', file);
  t.is(refused.status, 1);
  t.regex(refused.stdout, /^3 +macs +"zz" is no MAC address +Write MAC addresses as/m);
  t.is(await said(muster, 'machines', 'list', '--json'), '[]\n');
  t.regex(await said(muster, 'machines', 'import', file, '--partial'), /^Registered 1 of 2$/m);

  const mac = '3c:ec:ef:00:00:01';
  await using a = await arrive(muster, mac, 'RIGHT01', 16);
  t.regex(await said(muster, 'machines', 'merge', 'WRONG01', mac), /^hostname +web1$/m);
  const merged = await rest(muster, 'GET', `machines/${a.machineId}`);
  t.like(merged.json, {service_tag: 'WRONG01', mac_address: mac, hostname: 'web1'});
  const {id} = merged.json as {id: string};
  t.not(id, a.machineId);
  t.regex(
    await said(muster, 'events', 'list', '--machine', mac),
    /agent\.enrolled[^]*machine\.merged/,
  );

  t.regex(await said(muster, 'machines', 'split', 'WRONG01', 'RIGHT01'), /^serial +RIGHT01$/m);
  const wrong = await rest(muster, 'POST', `machines/${id}/split`, {identifiers: ['NOT01']});
  t.is(wrong.status, 400);

  const ban = await rest(muster, 'POST', `machines/${id}/ban`, {reason: 'stolen'});
  t.like(ban.json, {0: {kind: 'mac_address', value: mac, reason: 'stolen'}});
  const script = () =>
    fetch(`${muster.edgeUrl}/boot.ipxe?mac=${mac.replaceAll(':', '-')}`).then(answer =>
      answer.text(),
    );
  await until('a script that says so', async () => (await script()).includes('banned: stolen'));
  t.regex(await script(), /^exit 1$/m);
  t.regex(await said(muster, 'boot', 'explain', mac), /banned: stolen/);
  t.regex(await said(muster, 'machines', 'ban', 'UNKNOWN77', '--identifier'), /SERIAL +UNKNOWN77/);
  t.regex(await said(muster, 'machines', 'bans'), /UNKNOWN77[^]*3c:ec:ef:00:00:01/);
  const values = (
    JSON.parse(await said(muster, 'machines', 'bans', '--json')) as {value: string}[]
  ).map(({value}) => value);
  await said(muster, 'machines', 'unban', ...values);
  await until('a script without it', async () => !(await script()).includes('banned:'));
  const audit = await said(muster, 'audit', 'list', '--json');
  for (const action of ['machine.merged', 'machine.split', 'ban.created', 'ban.deleted'])
    t.true(audit.includes(action), action);
});
