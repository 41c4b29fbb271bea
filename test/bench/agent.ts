import {readFile, stat} from 'node:fs/promises';
import {execPath} from 'node:process';
import {setTimeout as delay} from 'node:timers/promises';
import {promisify} from 'node:util';
import {constants, zstdCompress} from 'node:zlib';
import {measureSampleCpuMs} from '@muster/agent/metrics.bench.ts';
import {startContractBuilder} from '../helpers/contract-builder.ts';
import {startMuster} from '../helpers/muster.ts';
import {createProcessMachine} from '../helpers/process-machine.ts';
import {until} from '../helpers/processes.ts';
import {bareNode, cpuSeconds, print, privateMib, residentMib} from './measure.ts';

const sampleSeconds = 30;
/** As images are packed; the ratio is the same at 19, which takes two minutes. */
const packLevel = 9;
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
  const [node, bundle] = [await packedMib(execPath), await packedMib('dist/agent.cjs')];
  print({
    what: 'what the agent adds to an initrd',
    value: `${(node + bundle).toFixed(1)} MiB`,
    base: `${((node + bundle) / node).toFixed(3)} × the binary of Node alone, zstd -${packLevel} (${node.toFixed(1)} MiB)`,
    limit: 'floor 1.2, goal 1.05',
    met: (node + bundle) / node <= 1.2,
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
  const [resident, own] = [residentMib(pid), privateMib(pid)];
  const base = await bareNode(execPath);
  await machine.agent.stop();

  print({
    what: 'agent resident memory',
    value: `${resident.toFixed(0)} MiB`,
    base: `${(resident / base.residentMib).toFixed(2)} × bare node (${base.residentMib.toFixed(0)} MiB)`,
    limit: 'floor 1.35, goal 1.15',
    met: resident / base.residentMib <= 1.35,
  });
  print({
    what: 'agent memory of its own',
    value: `${own.toFixed(1)} MiB`,
    base: `bare node ${base.privateMib.toFixed(1)} MiB`,
    limit: 'floor 22 MiB, goal 13',
    met: own <= 22,
  });
  const sampleMs = measureSampleCpuMs();
  print({
    what: 'agent CPU per sample',
    value: `${sampleMs.toFixed(2)} ms`,
    base: `${(sampleMs / exporterScrapeMs).toFixed(3)} × a scrape of node_exporter (${exporterScrapeMs} ms, an earlier run)`,
    limit: '≤ 1 ms; floor 0.2, goal 0.05',
    met: sampleMs <= 1 && sampleMs / exporterScrapeMs <= 0.2,
  });
  print({
    what: 'whole agent, CPU a second at a sample a second',
    value: `${perSampleMs.toFixed(2)} ms`,
    base: `${(perSampleMs / sampleMs).toFixed(0)} × the sample: TLS, NATS, receipts, timers`,
    limit: 'reported',
    met: true,
  });
}

async function packedMib(path: string): Promise<number> {
  const params = {
    [constants.ZSTD_c_compressionLevel]: packLevel,
    [constants.ZSTD_c_windowLog]: 27,
  };
  return (await promisify(zstdCompress)(await readFile(path), {params})).length / 1024 ** 2;
}
