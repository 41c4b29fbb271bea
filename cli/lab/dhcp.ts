import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {addSecondHost, type LabHost, labHostOf, type LabPlan} from './network.ts';

const recipes = join(import.meta.dirname, '..', '..', 'deploy', 'dhcp');
const recipeEdge = '192.0.2.1';
const recipeNetwork = '192.0.2.0';
const recipePort = ':8081';
const startLimitMs = 10_000;

/** Where machines reach the edge. */
export type EdgeAddress = {readonly address: string; readonly port: number};

export type DhcpOptions = {
  /** For its configuration and leases. */
  readonly folder: string;
  /** Hears its log. */
  readonly onLine: (text: string) => void;
};

/** dnsmasq inside the lab as the site's own DHCP server, with the recipe that users get. Throws when it does not come up. */
export async function startDhcp(
  plan: LabPlan,
  {edge, ...options}: DhcpOptions & {readonly edge: EdgeAddress},
): Promise<AsyncDisposable> {
  const host = labHostOf(plan);
  const boot = await readRecipe('dnsmasq.conf', plan, edge);
  return startDnsmasq(host, {
    ...options,
    name: 'dhcp',
    config: `${siteOptions(host, plan)}${boot}`,
  });
}

/** A site's DHCP server that knows nothing of network boot, on a second host of the lab: two of them cannot share one port 67. */
export async function startPlainDhcp(
  plan: LabPlan,
  options: DhcpOptions,
): Promise<AsyncDisposable> {
  const host = await addSecondHost(plan);
  return startDnsmasq(host, {...options, name: 'plain-dhcp', config: siteOptions(host, plan)});
}

/** dnsmasq inside the lab as proxyDHCP beside the server of `startPlainDhcp`: nothing but the recipe that users get. */
export async function startProxyDhcp(
  plan: LabPlan,
  {edge, ...options}: DhcpOptions & {readonly edge: EdgeAddress},
): Promise<AsyncDisposable> {
  const config = await readRecipe('dnsmasq-proxy.conf', plan, edge);
  return startDnsmasq(labHostOf(plan), {...options, name: 'proxy-dhcp', config});
}

/** The text that users get, with this lab's addresses. */
async function readRecipe(
  name: 'dnsmasq.conf' | 'dnsmasq-proxy.conf',
  {prefix}: LabPlan,
  edge: EdgeAddress,
): Promise<string> {
  return (await readFile(join(recipes, name), 'utf8'))
    .replaceAll(recipePort, `:${edge.port}`)
    .replaceAll(recipeNetwork, `${prefix}.0`)
    .replaceAll(recipeEdge, edge.address);
}

type Dnsmasq = DhcpOptions & {
  /** Names its files. */
  readonly name: string;
  readonly config: string;
};

async function startDnsmasq(
  {namespace}: LabHost,
  {name, config, folder, onLine}: Dnsmasq,
): Promise<AsyncDisposable> {
  const file = join(folder, `${name}.conf`);
  await writeFile(file, config);
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig=KILL', '--', 'ip', 'netns', 'exec', namespace],
      ...['dnsmasq', '--keep-in-foreground', `--conf-file=${file}`],
      // Another user could not write into the folder, and with another group the kernel forgets the signal of setpriv.
      ...['--user=root', '--group=root', '--log-facility=-'],
      ...['--pid-file=', `--dhcp-leasefile=${join(folder, `${name}.leases`)}`],
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

/** What a site's DHCP server has anyway: interface, range. */
function siteOptions({networkInterface, address}: LabHost, {prefix}: LabPlan): string {
  return [
    'port=0',
    `interface=${networkInterface}`,
    'bind-interfaces',
    `listen-address=${address}`,
    'no-ping',
    'no-hosts',
    'no-resolv',
    'dhcp-authoritative',
    `dhcp-range=${prefix}.100,${prefix}.199,255.255.255.0,1h`,
    '# No router and no name server: the lab leads nowhere but to the host.',
    'dhcp-option=3',
    'dhcp-option=6',
    '# Without router advertisements iPXE waits 13 s after each lease.',
    'enable-ra',
    'dhcp-range=fd77::,ra-only,64,1h',
    `ra-param=${networkInterface},high,30`,
    '',
  ].join('\n');
}
