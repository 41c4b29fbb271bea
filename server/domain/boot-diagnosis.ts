import type {BootHop, BootHopKind, BootSession} from '../store/boot-sessions.ts';

/** In plain language: where a boot stands or stopped, and the next thing to check. */
export function diagnose(
  session: Pick<BootSession, 'state' | 'startTime'>,
  hops: readonly BootHop[],
  now: Date,
): string {
  const last = lastOf(hops);
  if (!last) return 'Nothing was seen of this boot yet';
  if (session.state === 'completed') {
    const seconds = Math.max(
      0,
      Math.round((last.time.getTime() - session.startTime.getTime()) / 1000),
    );
    return `Booted: the agent said hello ${seconds} s after the first request`;
  }
  if (last.kind === 'failure') return failureOf(last);

  const silent = Math.max(0, Math.round((now.getTime() - last.time.getTime()) / 1000));
  const {seen, missing, check} = steps[last.kind];
  const seenText = textOf(last, seen);
  if (!last.complete && artifactKinds.has(last.kind) && session.state !== 'open')
    return `Stopped: ${seenText}. Check the edge's log and that it reaches the image store, then cable and switch port`;
  if (session.state === 'open')
    return `${seenText}; now waiting for ${missing}, ${silent} s so far`;
  return `Stopped: ${seenText}, but ${missing} did not come. ${check}`;
}

const artifactKinds: ReadonlySet<BootHopKind> = new Set(['kernel', 'initrd', 'layer']);

function textOf({kind, detail, complete, bytes}: BootHop, seen: string): string {
  if (!complete && artifactKinds.has(kind))
    return `it asked for a file (${detail}) and got ${bytes} bytes of it, not the whole`;
  return detail && kind !== 'script' ? `${seen} (${detail})` : seen;
}

/** The hop that tells how far it came: a later kind wins over a later time, but for a failure, which ends a way. */
function lastOf(hops: readonly BootHop[]): BootHop | undefined {
  return hops.reduce<BootHop | undefined>((furthest, hop) => {
    if (!furthest) return hop;
    if (hop.kind === 'failure' || furthest.kind === 'failure')
      return hop.time >= furthest.time ? hop : furthest;
    return order.indexOf(hop.kind) >= order.indexOf(furthest.kind) ? hop : furthest;
  }, undefined);
}

const order: readonly BootHopKind[] = [
  'loader',
  'script',
  'kernel',
  'initrd',
  'token',
  'layer',
  'enrolled',
  'hello',
];

const steps: Readonly<
  Record<
    Exclude<BootHopKind, 'failure'>,
    {readonly seen: string; readonly missing: string; readonly check: string}
  >
> = {
  loader: {
    seen: 'it fetched its boot loader',
    missing: 'the boot script',
    check:
      'iPXE got no address or no file name: check that the DHCP server gives iPXE clients (user class "iPXE", option 175) the script URL, and that spanning tree on the switch port does not hold back traffic (set it to edge or portfast)',
  },
  script: {
    seen: 'it got its boot script',
    missing: 'the kernel request',
    check:
      'It may have left for its local disk as it was told, or its console shows an iPXE error: check that it reaches the edge by HTTP on the address that gave the script',
  },
  kernel: {
    seen: 'it fetched the kernel',
    missing: 'the initrd',
    check:
      'Check the console for an iPXE error, and that the machine has enough memory for kernel and initrd',
  },
  initrd: {
    seen: 'it fetched kernel and initrd',
    missing: 'the boot token',
    check: 'Check the console for an iPXE error after the last download',
  },
  token: {
    seen: 'it fetched everything and left iPXE with its boot token',
    missing: 'the agent',
    check:
      'The kernel started or should have: look at the console for a panic; check that Secure Boot is off or the kernel is signed, that the image has the driver of this NIC, and that DHCP answers the running system too. A machine that never rebooted needs a power cycle',
  },
  layer: {
    seen: 'its image runs and fetches its root file system',
    missing: 'the agent',
    check:
      'Look at the console: a layer with a wrong digest, too little memory, or a service that keeps the system from starting up',
  },
  enrolled: {
    seen: 'its agent enrolled',
    missing: 'its hello on the bus',
    check:
      'The agent cannot reach NATS: check that the addresses of nats_servers are reachable from the machine (port 4222) and that the site CA in boot.json is the one of the running nats-server',
  },
  hello: {seen: 'its agent said hello', missing: 'the end of the session', check: ''},
};

/** The POSIX code is the first byte of iPXE's error number (ipxe, src/include/errno.h). */
const causes: Readonly<Record<number, string>> = {
  0x02: 'access was denied: the file exists but may not be read, or its signature was refused',
  0x0e: 'the connection was refused: nothing listens there; check that the edge runs and the port in the URL',
  0x0f: 'the connection was reset while it was open: check the edge and any firewall on the way',
  0x17: 'the host is unreachable: check gateway and firewall',
  0x1c: 'the answer was not what iPXE expected: check that no proxy or captive portal answers in place of the edge',
  0x1d: 'input or output failed: check cable and NIC',
  0x26: 'the network is down: check cable, switch port and the NIC’s link light',
  0x28: 'the network is unreachable: the machine has no route; check that DHCP gives a gateway when the edge is in another network',
  0x2c: 'the device is missing: iPXE has no driver for this NIC; use snponly.efi or undionly.kpxe',
  0x2d: 'the file does not exist (404): the image is not on this edge; check that it can fetch from the server',
  0x2e: 'the file is no kernel that this firmware can start: check BIOS against UEFI and the architecture',
  0x31: 'there is too little memory: give the machine more, or use the small image',
  0x3c: 'the operation is not supported: this iPXE has no HTTPS; use plain HTTP on the boot network',
  0x3e: 'the name does not resolve: check DNS, or use an address',
  0x3f: 'the operation is not supported by this iPXE',
  0x41: 'it was not permitted: Secure Boot refuses an unsigned kernel; turn it off or sign',
  0x44: 'the protocol is not supported by this iPXE',
  0x4c: 'it timed out: no DHCP answer or packets are lost; check spanning tree (portfast), VLAN and cable',
};

function failureOf({detail}: BootHop): string {
  const code = /\b(?:0x)?([0-9a-f]{8})\b/i.exec(detail)?.[1]?.toLowerCase();
  const what = detail.replace(/[^\x20-\x7e]/g, '?') || 'a step';
  if (!code) return `Failed in the firmware: ${what}. Look at the machine’s console`;
  const cause = causes[Number.parseInt(code.slice(0, 2), 16)];
  return cause
    ? `Failed in the firmware (${what}): ${cause}`
    : `Failed in the firmware (${what}): see https://ipxe.org/${code}`;
}
