import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import process from 'node:process';
import {promisify} from 'node:util';

const run = promisify(execFile);
const commandLimitMs = 15_000;

/** The bridge inside the namespace, and the second host's port of it. */
const bridge = 'br0';
const secondHostPort = 'host2';

/** Names and addresses of one lab; two labs at a time need different ones. */
export type LabPlan = {
  readonly namespace: string;
  /** The host's end of the cable; at most 15 characters. */
  readonly hostInterface: string;
  /** First three octets of the network: "10.77.0". */
  readonly prefix: string;
  readonly taps: readonly string[];
};

/** One host on the lab's network: processes in its namespace are reached at its address. */
export type LabHost = {
  readonly namespace: string;
  readonly networkInterface: string;
  readonly address: string;
};

export const hostAddressOf = ({prefix}: LabPlan): string => `${prefix}.1`;

/** The lab's own namespace: its DHCP server runs here. */
export const labHostOf = ({namespace, prefix}: LabPlan): LabHost => ({
  namespace,
  networkInterface: bridge,
  address: `${prefix}.2`,
});

const secondHostOf = ({namespace, prefix}: LabPlan): LabHost => ({
  namespace: `${namespace}-2`,
  networkInterface: 'eth0',
  address: `${prefix}.3`,
});

/**
 * A network of its own: a namespace with a bridge, one tap per virtual machine, and a veth to the host, where the edge is. Removes what
 * a crashed run of the same plan left behind. Needs root.
 */
export async function createLabNetwork(plan: LabPlan): Promise<AsyncDisposable> {
  const {namespace, hostInterface, taps} = plan;
  await removeLabNetwork(plan);

  await using stack = new AsyncDisposableStack();
  stack.defer(() => removeLabNetwork(plan));
  await ip(`netns add ${namespace}`);
  await ip(`link add ${hostInterface} type veth peer name uplink netns ${namespace}`);
  // The lab's router advertisements must not give the host a default route.
  const ipv6 = `/proc/sys/net/ipv6/conf/${hostInterface}/disable_ipv6`;
  if (existsSync(ipv6)) await writeFile(ipv6, '1');
  await ip(`address add ${hostAddressOf(plan)}/24 dev ${hostInterface}`);
  await ip(`link set ${hostInterface} up`);

  const inside = (command: string) => ip(`-netns ${namespace} ${command}`);
  await inside('link set lo up');
  await inside(`link add ${bridge} type bridge stp_state 0 forward_delay 0`);
  await inside(`link set uplink master ${bridge} up`);
  await addAddresses(labHostOf(plan));
  for (const tap of taps) {
    await inside(`tuntap add dev ${tap} mode tap`);
    await inside(`link set ${tap} master ${bridge} up`);
  }
  await inside(`link set ${bridge} up`);

  const owned = stack.move();
  return {[Symbol.asyncDispose]: () => owned.disposeAsync()};
}

/** One more host on the network, in a namespace of its own. It goes with the network. */
export async function addSecondHost(plan: LabPlan): Promise<LabHost> {
  const host = secondHostOf(plan);
  const {namespace, networkInterface} = host;
  const inLab = `-netns ${plan.namespace}`;
  await ip(`netns add ${namespace}`);
  await ip(
    `${inLab} link add ${secondHostPort} type veth peer name ${networkInterface} netns ${namespace}`,
  );
  await ip(`${inLab} link set ${secondHostPort} master ${bridge} up`);
  await ip(`-netns ${namespace} link set lo up`);
  await ip(`-netns ${namespace} link set ${networkInterface} up`);
  await addAddresses(host);
  return host;
}

async function addAddresses({namespace, networkInterface, address}: LabHost): Promise<void> {
  await ip(`-netns ${namespace} address add ${address}/24 dev ${networkInterface}`);
  // For the router advertisements without which iPXE waits 13 s after each lease; absent where the kernel has no IPv6.
  if (existsSync('/proc/sys/net/ipv6'))
    await ip(
      `-netns ${namespace} address add fd77::${address.split('.').at(-1)}/64 dev ${networkInterface} nodad`,
    );
}

async function removeLabNetwork(plan: LabPlan): Promise<void> {
  const {namespace, hostInterface} = plan;
  if (existsSync(`/sys/class/net/${hostInterface}`)) await ip(`link delete ${hostInterface}`);
  for (const left of [secondHostOf(plan).namespace, namespace]) await removeNamespace(left);
}

async function removeNamespace(namespace: string): Promise<void> {
  if (!existsSync(`/run/netns/${namespace}`)) return;
  const {stdout} = await ip(`netns pids ${namespace}`);
  for (const pid of stdout.split('\n').filter(line => line !== '')) kill(Number(pid));
  await ip(`netns delete ${namespace}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself in the meantime.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function ip(command: string): Promise<{readonly stdout: string}> {
  try {
    return await run('ip', command.split(' '), {timeout: commandLimitMs});
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`Cannot build the lab's network: "ip ${command}" failed: ${words}`, {
      cause: error,
    });
  }
}
