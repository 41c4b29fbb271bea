import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {MetricsService} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import test from 'ava';
import {type Muster, startMuster} from '../helpers/muster.ts';
import {ready} from '../helpers/processes.ts';
import {promtool, startPrometheus} from '../helpers/prometheus.ts';

const deploy = new URL('../../deploy/', import.meta.url).pathname;

let muster: Muster;
let builderUrl: string;
test.before(async () => {
  muster = await startMuster();
  muster.builder.start();
  builderUrl = muster.builderUrl;
  await ready(`${builderUrl}/healthz`);
});
test.after.always(() => muster[Symbol.asyncDispose]());

const pages = () => [
  `${muster.serverUrl}/api/v1/metrics`,
  `${muster.serverUrl}/metrics`,
  `${muster.edgeUrl}/metrics`,
  `${builderUrl}/metrics`,
];

const host = (url: string) => new URL(url).host;

/** Our configuration, with the addresses of this Muster and short intervals. */
async function configuration(): Promise<string> {
  const text = await readFile(join(deploy, 'prometheus/prometheus.yml'), 'utf8');
  return text
    .replaceAll('127.0.0.1:8080', host(muster.serverUrl))
    .replace('127.0.0.1:8081', host(muster.edgeUrl))
    .replace('127.0.0.1:8082', host(builderUrl))
    .replaceAll('15s', '1s')
    .replaceAll(/- (\w+\.yml)/g, `- ${deploy}prometheus/$1`);
}

test.serial('a real Prometheus scrapes every process, and the rules work on it', async t => {
  const {machine} = await muster
    .client(MachineService)
    .createMachine({machine: {serviceTag: 'PROM-1', hostname: 'web-1'}});
  const machineId = machine?.id ?? '';
  await muster.postgres.sql`insert into machine_presence values (${machineId}, now())`;
  await muster.client(MetricsService).submitMetrics({
    machineId,
    metrics: {cpuUsagePercent: 50, memoryUsedBytes: 1n, memoryTotalBytes: 4n},
  });
  await using prometheus = await startPrometheus(muster.folder, await configuration());

  for (const job of ['muster-fleet', 'muster-server', 'muster-edge', 'muster-builder'])
    await prometheus.found(`up{job="${job}"} == 1`);
  const [usage] = await prometheus.found('muster_machine_cpu_usage_ratio');
  t.like(usage, {metric: {machine_id: machineId, host: 'web-1', job: 'muster-fleet'}});
  t.is(usage?.value[1], '0.5');
  const [memory] = await prometheus.found('machine:muster_machine_memory:ratio');
  t.is(memory?.value[1], '0.25');
  const {groups} = await prometheus.read<{
    groups: readonly {rules: readonly {name: string; health: string; lastError?: string}[]}[];
  }>('rules');
  const failed = groups.flatMap(({rules}) => rules.filter(({lastError}) => lastError));
  t.deepEqual(failed, []);
});

test.serial('promtool has nothing to say about any page of ours', async t => {
  for (const url of pages()) {
    const text = await (await fetch(url)).text();
    // prom-client's own set names two gauges with "_total".
    const ours = text.replaceAll(/^.*\bnodejs_.*$\n?/gm, '');
    t.deepEqual(promtool(['check', 'metrics'], ours), {status: 0, words: ''}, url);
  }
});

test.serial('every metric that a dashboard or rule names is told by some process', async t => {
  const texts = await Promise.all(pages().map(async url => (await fetch(url)).text()));
  const known = new Set(['up']);
  for (const text of texts)
    for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) /gm)) known.add(name);
  const rules = await readFile(join(deploy, 'prometheus/rules.yml'), 'utf8');
  for (const [, name = ''] of rules.matchAll(/record: (\S+)/g)) known.add(name);

  const grafana = join(deploy, 'grafana');
  const dashboards = (await readdir(grafana)).filter(name => name.endsWith('.json'));
  t.true(dashboards.length >= 3);
  const expressions: string[] = [];
  for (const name of dashboards) {
    const text = await readFile(join(grafana, name), 'utf8');
    const {uid, panels, templating} = JSON.parse(text) as Dashboard;
    t.is(`${uid}.json`, name);
    t.like(templating.list[0], {name: 'datasource', type: 'datasource'});
    for (const {datasource, targets} of panels) {
      t.is(datasource.uid, '\u0024{datasource}');
      expressions.push(...targets.map(({expr}) => expr));
    }
    expressions.push(...templating.list.map(({definition = ''}) => definition));
  }
  for (const name of ['rules.yml', 'alerts.yml'])
    expressions.push(await readFile(join(deploy, 'prometheus', name), 'utf8'));
  const named = expressions.join('\n').matchAll(metricName);
  const missing = new Set([...named].map(([name]) => name).filter(name => !known.has(name)));
  t.deepEqual([...missing], []);
});

const metricName = /\b(\w+:)?(muster|process|nodejs)_\w+(:\w+)?/g;

type Dashboard = {
  readonly uid: string;
  readonly panels: readonly {
    readonly datasource: {readonly uid: string};
    readonly targets: readonly {readonly expr: string}[];
  }[];
  readonly templating: {readonly list: readonly {readonly definition?: string}[]};
};
