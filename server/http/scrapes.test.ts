import {randomUUID} from 'node:crypto';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {createTestMachine} from '../../test/helpers/builds.ts';
import {promtool} from '../../test/helpers/prometheus.ts';
import {type RunningServer, startRunningServer} from '../../test/helpers/running-server.ts';
import type {FleetSnapshot} from '../domain/fleet-metrics.ts';
import {createExposition} from './exposition.ts';
import {parseNetworks} from './scrape-networks.ts';

let server: RunningServer;
test.before(async () => {
  server = await startRunningServer();
});
test.after.always(() => server[Symbol.asyncDispose]());

async function scrape(headers: Record<string, string> = {}, path = '/api/v1/metrics') {
  const response = await fetch(server.url + path, {headers});
  const body = await response.text();
  return {status: response.status, type: response.headers.get('content-type'), body};
}

test.serial(
  'a machine and what it measures are series, and promtool has nothing to say',
  async t => {
    const {sql} = server;
    const id = await createTestMachine(sql, 'active', {
      hostname: 'web-1',
      serviceTag: String.raw`A"B\C`,
      manufacturer: 'Dell Inc.',
      clockSkewMs: 1500,
    });
    await createTestMachine(sql, 'expected');
    const group = randomUUID();
    await sql`
    insert into groups (id, name, description, tags, filter, create_time, update_time)
    values (${group}, 'web', '', '{}', '', now(), now())
  `;
    await sql`insert into group_members values (${group}, ${id})`;
    await sql`insert into machine_presence values (${id}, now())`;
    await sql`
    insert into issues (id, machine_id, source, kind, component, severity, summary, next_step, evidence, since_time, raise_time)
    values
      (${randomUUID()}, ${id}, 'hardware', 'disk_failing', 'sda', 'critical', '', '', '{}', now(), now()),
      (${randomUUID()}, ${id}, 'rules', 'no_bmc', '', 'info', '', '', '{}', now(), now())
  `;
    await sql`
    insert into issue_mutes (id, kind, machine_id, expire_time, reason, muted_by, create_time)
    values (${randomUUID()}, 'no_bmc', ${id}, now() + interval '1 hour', 'it has none', 'user:olga', now())
  `;
    const submitted = await fetch(`${server.url}/api/v1/machines/${id}/metrics`, {
      method: 'POST',
      headers: {authorization: `Bearer ${await server.localToken()}`},
      body: JSON.stringify({
        cpu_usage_percent: 12.5,
        memory_used_bytes: 2 ** 40,
        network_rx_bytes: 7,
        load_average_1: 0.25,
        power_state: 'on',
        power_watts: 212.5,
        file_systems: [{device: '/dev/sda1', mount_point: '/da ta', used_bytes: 3}],
        disks: [{name: 'sda', read_bytes: 4096, busy_seconds: 1.5}],
        interfaces: [{name: 'eth0', rx_bytes: 7, tx_errors: 0}],
        sensors: [{name: 'coretemp Core 0', temperature: 45}],
        agent: {resident_bytes: 1024, samples_dropped: 0},
      }),
    });
    t.is(submitted.status, 200);

    const answer = (await submitted.json()) as {readonly interfaces: readonly object[]};
    t.like(answer.interfaces[0], {name: 'eth0', rx_bytes: 7, tx_errors: 0});

    const {status, type, body} = await scrape();
    t.is(status, 200);
    t.is(type, 'text/plain; version=0.0.4; charset=utf-8');
    const labels = `machine_id="${id}",host="web-1"`;
    for (const line of [
      'muster_machines{state="active"} 1',
      'muster_machines{state="expected"} 1',
      'muster_machines{state="failed"} 0',
      'muster_machines_presence{presence="online"} 1',
      'muster_issues{kind="disk_failing",severity="critical",acknowledged="false"} 1',
      'muster_exposition_machines_left_out 0',
      String.raw`muster_machine_info{${labels},service_tag="A\"B\\C",manufacturer="Dell Inc.",product="",agent_version=""} 1`,
      `muster_machine_state{${labels},state="active"} 1`,
      `muster_machine_group{${labels},group="web"} 1`,
      `muster_machine_issues{${labels},kind="disk_failing",severity="critical"} 1`,
      `muster_machine_online{${labels}} 1`,
      `muster_machine_cpu_usage_ratio{${labels}} 0.125`,
      `muster_machine_memory_used_bytes{${labels}} 1099511627776`,
      `muster_machine_network_receive_bytes_total{${labels}} 7`,
      `muster_machine_load1{${labels}} 0.25`,
      `muster_machine_power_on{${labels}} 1`,
      `muster_machine_power_watts{${labels}} 212.5`,
      `muster_machine_filesystem_used_bytes{${labels},device="/dev/sda1",mountpoint="/da ta"} 3`,
      `muster_machine_disk_read_bytes_total{${labels},device="sda"} 4096`,
      `muster_machine_disk_busy_seconds_total{${labels},device="sda"} 1.5`,
      `muster_machine_interface_receive_bytes_total{${labels},device="eth0"} 7`,
      `muster_machine_interface_transmit_errors_total{${labels},device="eth0"} 0`,
      `muster_machine_sensor_temperature_celsius{${labels},sensor="coretemp Core 0"} 45`,
      `muster_machine_agent_samples_dropped_total{${labels}} 0`,
      `muster_machine_clock_skew_seconds{${labels}} 1.5`,
    ])
      t.true(body.includes(`\n${line}\n`), line);
    t.false(body.includes('no_bmc'), 'a muted issue is counted nowhere');
    t.false(body.includes(`muster_machine_temperature_celsius{${labels}}`));
    const checked = promtool(['check', 'metrics'], body);
    t.deepEqual(checked, {status: 0, words: ''});
  },
);

test.serial('OpenMetrics and gzip are given to who asks for them', async t => {
  const open = await scrape({
    accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  });
  t.is(open.type, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  t.true(open.body.endsWith('\n# EOF\n'));
  t.true(open.body.includes('# TYPE muster_machine_network_receive_bytes counter\n'));
  const text = await scrape({accept: 'text/plain, application/openmetrics-text;q=0.4'});
  t.true(text.body.includes('# TYPE muster_machine_network_receive_bytes_total counter\n'));
  const zipped = await fetch(`${server.url}/api/v1/metrics`, {
    headers: {'accept-encoding': 'gzip'},
  });
  t.is(zipped.headers.get('content-encoding'), 'gzip');
  t.true((await zipped.text()).includes('# HELP muster_machines '));
});

test.serial(
  'loopback needs no token; who comes through a proxy does, and one that may view',
  async t => {
    const proxied = {'x-forwarded-for': '203.0.113.9'};
    const token = {authorization: `Bearer ${await server.localToken()}`};
    for (const path of ['/api/v1/metrics', '/metrics']) {
      t.is((await scrape({}, path)).status, 200);
      const refused = await scrape(proxied, path);
      t.is(refused.status, 401);
      t.regex(refused.body, /METRICS_SCRAPE_NETWORKS/);
      t.is((await scrape({...proxied, authorization: 'Bearer x.y.z'}, path)).status, 401);
      t.is((await scrape({...proxied, ...token}, path)).status, 200);
    }
    const written = await fetch(`${server.url}/api/v1/metrics`, {method: 'POST', body: '{}'});
    t.is(written.status, 405);
    t.regex((await scrape({}, '/metrics')).body, /^process_resident_memory_bytes \d+$/m);
  },
);

const nothing: FleetSnapshot = {
  time: new Date(0),
  machines: [],
  machinesLeftOut: 0,
  states: [],
  presences: [],
  builds: [],
  operations: [],
  issues: [],
  services: [],
};

test('scrapes of the same seconds share one page; a failure is not kept', async t => {
  let gathered = 0;
  let nowMs = 0;
  let fails = false;
  const exposition = createExposition({
    ageMsMax: 1000,
    nowMs: () => nowMs,
    snapshot: async () => {
      gathered += 1;
      if (fails) throw new Error('no database');
      return nothing;
    },
  });
  const [plain, zipped] = await Promise.all([
    exposition.read('text', false),
    exposition.read('text', true),
    exposition.read('openMetrics', false),
  ]);
  t.deepEqual(gunzipSync(Buffer.concat(zipped.pieces)), Buffer.concat(plain.pieces));
  t.is(zipped.pieces[0]?.length, zipped.length);
  t.is(gathered, 1);
  nowMs = 999;
  t.is(await exposition.read('text', false), plain);
  nowMs = 1000;
  fails = true;
  await t.throwsAsync(exposition.read('text', false), {message: 'no database'});
  fails = false;
  t.deepEqual(await exposition.read('text', false), plain);
  t.is(gathered, 3);
});

test('scrape networks are CIDR of both families, and loopback is always one', t => {
  const networks = parseNetworks(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32']);
  for (const address of ['127.0.0.9', '::1', '10.1.255.1', '192.0.2.7', '2001:db8:1::5'])
    t.true(networks.covers(address), address);
  for (const address of ['10.2.0.1', '192.0.2.8', '2001:db9::1', '', 'x'])
    t.false(networks.covers(address), address);
  for (const wrong of ['10.0.0.0/33', '10.0.0/8', 'host', '::/129', '10.0.0.0/8/9', '10.0.0.0/'])
    t.throws(() => parseNetworks([wrong]), {message: /is no network/}, wrong);
});
