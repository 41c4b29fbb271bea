import {stat} from 'node:fs/promises';
import {execPath} from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {measureSampleCpuMs} from '@muster/agent/metrics.bench.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {startMuster} from '../helpers/muster.ts';
import {createProcessMachine} from '../helpers/process-machine.ts';
import {until} from '../helpers/processes.ts';
import {bareNode, cpuSeconds, print, residentMib} from './measure.ts';

const sampleSeconds = 30;
/** notes on performance, vi.2. */
const exporterScrapeMs = 15.5;

/** The agent as a process of this host: bundle, memory, CPU per sample (one a second here). */
export async function benchAgent(): Promise<void> {
  const {size} = await stat('dist/agent.cjs');
  print({
    what: 'agent bundle',
    value: `${(size / 1024).toFixed(0)} KiB`,
    limit: '≤ 1.5 MiB',
    met: size <= 1.5 * 1024 ** 2,
  });

  await using muster = await startMuster();
  await using builder = await startContractBuilder(muster, 'b1');
  void builder;
  const machine = await createProcessMachine(muster, 'bench', {
    mac: '52:54:00:00:09:01',
    serial: 'BENCH',
  });
  await until('a registration image', async () =>
    (await machine.fetchScript()).includes('/boot/token.cpio'),
  );
  await machine.boot();
  await until('the inventory', async () => (await machine.log()).includes('inventory'));
  await delay(10_000);

  const pid = machine.agent.pid ?? 0;
  const before = cpuSeconds(pid);
  await delay(sampleSeconds * 1000);
  const perSampleMs = ((cpuSeconds(pid) - before) / sampleSeconds) * 1000;
  const resident = residentMib(pid);
  const base = await bareNode(execPath);
  await machine.agent.stop();

  print({
    what: 'agent resident memory',
    value: `${resident.toFixed(0)} MiB`,
    base: `${(resident / base.residentMib).toFixed(2)} × bare node (${base.residentMib.toFixed(0)} MiB)`,
    limit: '≤ 75 MiB',
    met: resident <= 75,
  });
  const sampleMs = measureSampleCpuMs();
  print({
    what: 'agent CPU per sample',
    value: `${sampleMs.toFixed(2)} ms`,
    base: `${(sampleMs / exporterScrapeMs).toFixed(3)} × a scrape of node_exporter (${exporterScrapeMs} ms, an earlier run)`,
    limit: '≤ 1 ms',
    met: sampleMs <= 1,
  });
  print({
    what: 'whole agent, CPU a second at a sample a second',
    value: `${perSampleMs.toFixed(2)} ms`,
    base: `${(perSampleMs / sampleMs).toFixed(0)} × the sample: TLS, NATS, receipts, timers`,
    limit: 'reported',
    met: true,
  });
}
