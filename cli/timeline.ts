import {timestampMs} from '@bufbuild/protobuf/wkt';
import {
  type BootHop,
  BootHop_Kind,
  type BootSession,
  BootSession_State,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {bytes} from './output.ts';

const names: Readonly<Record<number, string>> = {
  [BootHop_Kind.LOADER]: 'boot loader',
  [BootHop_Kind.SCRIPT]: 'boot script',
  [BootHop_Kind.KERNEL]: 'kernel',
  [BootHop_Kind.INITRD]: 'initrd',
  [BootHop_Kind.TOKEN]: 'boot token',
  [BootHop_Kind.LAYER]: 'image layer',
  [BootHop_Kind.FAILURE]: 'failed step',
  [BootHop_Kind.ENROLLED]: 'enrolled',
  [BootHop_Kind.HELLO]: 'agent hello',
};

/** One hop: seconds since the session's first, what, how much. "  +5.1 s  kernel        vmlinuz, 8.0 MiB" */
export function describeHop(hop: BootHop, startMs: number): string {
  const time = hop.time ? timestampMs(hop.time) : startMs;
  const seconds = `+${((time - startMs) / 1000).toFixed(1)} s`.padStart(9);
  const size = hop.bytes > 0n ? bytes(hop.bytes) : '';
  const rest = [describeDetail(hop.detail), size].filter(text => text !== '').join(', ');
  return `${seconds}  ${(names[hop.kind] ?? 'hop').padEnd(12)}  ${rest}`.trimEnd();
}

/** A file comes with its HTTP status, which only says something when it is not the usual one. */
const describeDetail = (detail: string): string =>
  detail.replace(/ 20[06]$/, '').replace(/ ([1-5]\d\d)$/, ' (HTTP $1)');

/** In the order of their times; hops of a batch may arrive in any order. */
export function orderedHops({hops}: BootSession): readonly BootHop[] {
  return hops.toSorted((a, b) => timeOf(a) - timeOf(b));
}

export function startOf(session: BootSession): number {
  if (session.startTime) return timestampMs(session.startTime);
  const [first] = orderedHops(session);
  return first ? timeOf(first) : 0;
}

export const isOpen = ({state}: BootSession): boolean => state === BootSession_State.OPEN;

const timeOf = (hop: BootHop): number => (hop.time ? timestampMs(hop.time) : 0);
