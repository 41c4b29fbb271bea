import {existsSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {execPath} from 'node:process';
import test, {type ExecutionContext} from 'ava';
import {startDhcp, startPlainDhcp, startProxyDhcp} from '@muster/cli/lab/dhcp.ts';
import {type LabMachine, labMachines} from '@muster/cli/lab/machines.ts';
import {createLabNetwork, hostAddressOf, labHostOf, type LabPlan} from '@muster/cli/lab/network.ts';
import {startVm} from '@muster/cli/lab/vm.ts';
import {anAnswer, publishBook, temporaryFolder} from '@muster/ipxe/testing/edge.ts';
import {joinCode, startMusterServer} from '@muster/ipxe/testing/muster-server.ts';
import {BootAction, type BootHop, BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {createPlainFirmware} from '../helpers/plain-firmware.ts';
import {createProcess, ready} from '../helpers/processes.ts';
import {readMetric} from '../helpers/stranger.ts';

/** Four times what a quiet machine needs under TCG. */
const bootLimitMs = 80_000;

const plan: LabPlan = {
  namespace: 'muster-dhcp',
  hostInterface: 'muster-dhcp',
  prefix: '10.80.0',
  taps: ['tap0'],
};
/** Beside the DHCP server of the recipe, as a small site would have it; so nothing of this host's own port 69 is needed. */
const edge = {address: labHostOf(plan).address, port: 8081};
const edgeUrl = `http://${edge.address}:${edge.port}`;

type Site = Awaited<ReturnType<typeof openSite>>;

/** A network with the edge as a real process on one of its hosts. Every machine of the lab is told to wait. */
async function openSite() {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder()).path;
  stack.use(await createLabNetwork(plan));
  const server = stack.use(await startMusterServer({host: hostAddressOf(plan)}));
  const answers = labMachines.map(({name, macAddress}) =>
    anAnswer({
      machineId: name,
      macAddresses: [macAddress],
      decision: {action: BootAction.RETRY, reason: `script of ${name}`},
    }),
  );
  publishBook(server, answers, []);

  const stateDir = join(folder, 'edge');
  await mkdir(stateDir, {mode: 0o700});
  const command = ['ip', 'netns', 'exec', plan.namespace, execPath, 'ipxe/main.ts'];
  const env = {
    SERVER_URL: server.url,
    EDGE_STATE_DIR: stateDir,
    JOIN_CODE: joinCode,
    EDGE_HTTP_PORT: String(edge.port),
  };
  const edgeProcess = createProcess('edge', {command, env}, join(folder, 'edge.log'));
  stack.defer(() => edgeProcess.stop());
  edgeProcess.start();
  await ready(`${edgeUrl}/readyz`);

  const heard: string[] = [];
  const owned = stack.move();
  return {
    folder,
    server,
    /** What the DHCP servers said. */
    heard,
    onLine: (line: string) => heard.push(line),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A DHCP server that knows nothing of network boot, and the proxy beside it. */
async function startBothDhcp(site: Site): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  stack.use(await startPlainDhcp(plan, site));
  stack.use(await startProxyDhcp(plan, {...site, edge}));
  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}

const bios = machineOf('bios');
const uefi = machineOf('uefi');

function machineOf(firmware: LabMachine['firmware']): LabMachine {
  const machine = labMachines.find(candidate => candidate.firmware === firmware);
  if (!machine) throw new Error(`The lab has no ${firmware} machine`);
  return machine;
}

/** From power-on until the machine shows its script and the server has the edge's word for it. */
async function boot(
  t: ExecutionContext,
  {folder, server, heard}: Site,
  {
    machine,
    driver,
    qemuArguments = [],
  }: {
    readonly machine: LabMachine;
    /** The name that iPXE gives to its network card: it tells which iPXE runs at last. */
    readonly driver: string;
    readonly qemuArguments?: readonly string[];
  },
): Promise<void> {
  const startedMs = performance.now();
  await using vm = await startVm({
    ...machine,
    namespace: plan.namespace,
    tap: 'tap0',
    memoryMb: 512,
    cpus: 1,
    accelerator: 'tcg',
    folder: join(folder, 'vm'),
    qemuArguments,
  });
  try {
    await vm.waitFor(`using ${driver}`, bootLimitMs);
    await vm.waitFor(`Muster: waiting: script of ${machine.name}`, bootLimitMs);
  } catch (error) {
    t.log(heard.join('\n'));
    throw error;
  }
  t.log(`${((performance.now() - startedMs) / 1000).toFixed(1)} s from power-on to the script`);
  const {hops} = server.state;
  await server.until('hops', () => hops.some(({kind}) => kind === BootHop_Kind.SCRIPT));
}

/** What machine and edge did, by the edge's word. */
async function seenBy({server}: Site) {
  const {hops} = server.state;
  const ofKind = (kind: BootHop_Kind): BootHop[] => hops.filter(hop => hop.kind === kind);
  const count = (line: string) => readMetric(edgeUrl, `muster_edge_${line}`);
  return {
    sessions: new Set(hops.map(({session}) => session)).size,
    loaders: ofKind(BootHop_Kind.LOADER).map(({detail}) => detail),
    // OVMF asks for the head first.
    loaderByHttp: (await count('requests_total{kind="loader"}')) > 0,
    loaderByTftp: (await count('tftp_transfers_total{outcome="completed"}')) > 0,
    bootstraps: await count('requests_total{kind="bootstrap"}'),
    refused: await count('requests_total{kind="refused"}'),
    platform: ofKind(BootHop_Kind.SCRIPT)[0]?.client?.platform,
  };
}

const wentWell = {
  sessions: 1,
  loaderByHttp: false,
  loaderByTftp: true,
  bootstraps: 1,
  refused: 0,
};

test.afterEach.always(t => {
  for (const left of [
    `/run/netns/${plan.namespace}`,
    `/run/netns/${plan.namespace}-2`,
    `/sys/class/net/${plan.hostInterface}`,
  ])
    t.false(existsSync(left), `${left} was left behind`);
});

test.serial('BIOS firmware beside the proxy: loader by TFTP, then the script', async t => {
  await using site = await openSite();
  await using _dhcp = await startBothDhcp(site);
  await using firmware = await createPlainFirmware(site.folder);
  await boot(t, site, {...firmware, machine: bios, driver: 'undionly'});
  t.deepEqual(await seenBy(site), {...wentWell, loaders: ['undionly.kpxe'], platform: 'pcbios'});
});

test.serial(
  'iPXE in the card of a BIOS machine beside the proxy: straight to the script',
  async t => {
    await using site = await openSite();
    await using _dhcp = await startBothDhcp(site);
    await boot(t, site, {machine: bios, driver: 'virtio-net'});
    t.deepEqual(await seenBy(site), {
      ...wentWell,
      loaderByTftp: false,
      loaders: [],
      platform: 'pcbios',
    });
  },
);

test.serial('UEFI firmware beside the proxy: loader by TFTP, then the script', async t => {
  await using site = await openSite();
  await using _dhcp = await startBothDhcp(site);
  await boot(t, site, {machine: uefi, driver: 'SNP'});
  t.deepEqual(await seenBy(site), {...wentWell, loaders: ['snponly.efi'], platform: 'efi'});
});

test.serial('BIOS firmware by the recipe of a site: loader by TFTP, then the script', async t => {
  await using site = await openSite();
  await using _dhcp = await startDhcp(plan, {...site, edge});
  await using firmware = await createPlainFirmware(site.folder);
  await boot(t, site, {...firmware, machine: bios, driver: 'undionly'});
  t.deepEqual(await seenBy(site), {...wentWell, loaders: ['undionly.kpxe'], platform: 'pcbios'});
});

test.serial('UEFI HTTP boot by the recipe of a site: loader by HTTP, then the script', async t => {
  await using site = await openSite();
  await using _dhcp = await startDhcp(plan, {...site, edge});
  // Nothing is left to the firmware but HTTP boot.
  const qemuArguments = ['IPv4PXESupport', 'IPv6PXESupport'].flatMap(name => [
    '-fw_cfg',
    `name=opt/org.tianocore/${name},string=n`,
  ]);
  await boot(t, site, {machine: uefi, driver: 'SNP', qemuArguments});
  t.deepEqual(await seenBy(site), {
    ...wentWell,
    loaderByHttp: true,
    loaderByTftp: false,
    loaders: ['snponly.efi'],
    platform: 'efi',
  });
});
