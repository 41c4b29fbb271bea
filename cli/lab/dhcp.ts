import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {bridge, dhcpAddressOf, hostAddressOf, type LabPlan} from './network.ts';

const recipe = join(import.meta.dirname, '..', '..', 'deploy', 'dhcp', 'dnsmasq.conf');
const recipeEdge = '192.0.2.1';
const recipePort = ':8081';
const startLimitMs = 10_000;

/**
 * dnsmasq inside the lab as the site's own DHCP server, with the recipe that users get. `onLine` hears its log. Throws when it does
 * not come up.
 */
export async function startDhcp(
  plan: LabPlan,
  {edgePort, folder, onLine}: {edgePort: number; folder: string; onLine: (text: string) => void},
): Promise<AsyncDisposable> {
  const file = join(folder, 'dnsmasq.conf');
  const boot = (await readFile(recipe, 'utf8'))
    .replaceAll(recipePort, `:${edgePort}`)
    .replaceAll(recipeEdge, hostAddressOf(plan));
  await writeFile(file, `${siteOptions(plan, folder)}\n${boot}`);

  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig=KILL', '--', 'ip', 'netns', 'exec', plan.namespace],
      ...['dnsmasq', '--keep-in-foreground', `--conf-file=${file}`],
    ],
    {stdio: ['ignore', 'ignore', 'pipe'], detached: true},
  );
  const ended = once(child, 'exit');
  const words: string[] = [];
  const started = new Promise<void>((resolve, reject) => {
    createInterface({input: child.stderr}).on('line', line => {
      words.push(line);
      onLine(line);
      // Its first line: "started, version 2.90 DNS disabled".
      if (line.includes('started, version')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`Cannot start dnsmasq: ${words.join('; ')}`)));
    setTimeout(reject, startLimitMs, new Error('Cannot start dnsmasq: it said nothing')).unref();
  });

  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null || !child.pid) return;
    child.kill('SIGTERM');
    await ended;
  };
  try {
    await started;
  } catch (error) {
    await stop();
    throw error;
  }
  return {[Symbol.asyncDispose]: stop};
}

/** What a site's DHCP server has anyway: interface, range, leases. */
function siteOptions(plan: LabPlan, folder: string): string {
  return [
    'port=0',
    'user=root',
    `interface=${bridge}`,
    'bind-interfaces',
    `listen-address=${dhcpAddressOf(plan)}`,
    'log-facility=-',
    'no-ping',
    'no-hosts',
    'no-resolv',
    'dhcp-authoritative',
    `dhcp-leasefile=${join(folder, 'dnsmasq.leases')}`,
    `dhcp-range=${plan.prefix}.100,${plan.prefix}.199,255.255.255.0,1h`,
    '# No router and no name server: the lab leads nowhere but to the host.',
    'dhcp-option=3',
    'dhcp-option=6',
    '# Without router advertisements iPXE waits 13 s after each lease.',
    'enable-ra',
    'dhcp-range=fd77::,ra-only,64,1h',
    `ra-param=${bridge},high,30`,
    '',
  ].join('\n');
}
