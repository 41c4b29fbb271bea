import {
  type BootHop,
  BootHop_Kind as Kind,
  type BootSession,
  BootSession_State as SessionState,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {dateOf} from '../../ui/format.ts';
import {lookUp} from '../../ui/tones.ts';

export const hopLook = lookUp(
  {
    [Kind.LOADER]: {word: 'Boot loader', icon: 'boot', tone: 'idle'},
    [Kind.SCRIPT]: {word: 'Boot script', icon: 'template', tone: 'idle'},
    [Kind.KERNEL]: {word: 'Kernel', icon: 'image', tone: 'info'},
    [Kind.INITRD]: {word: 'Initrd', icon: 'image', tone: 'info'},
    [Kind.TOKEN]: {word: 'Boot token', icon: 'audit', tone: 'info'},
    [Kind.LAYER]: {word: 'Image layer', icon: 'image', tone: 'info'},
    [Kind.FAILURE]: {word: 'Failed step', icon: 'warning', tone: 'bad'},
    [Kind.ENROLLED]: {word: 'Enrolled', icon: 'check', tone: 'ok'},
    [Kind.HELLO]: {word: 'Agent hello', icon: 'play', tone: 'ok'},
  },
  {word: 'Hop', icon: 'dot', tone: 'idle'},
);

export const sessionLook = lookUp({
  [SessionState.OPEN]: {word: 'In progress', tone: 'busy', icon: 'operation'},
  [SessionState.STALLED]: {word: 'Stopped on its way', tone: 'bad', icon: 'warning'},
  [SessionState.COMPLETED]: {word: 'Complete', tone: 'ok', icon: 'check'},
});

export type TimedHop = {
  readonly hop: BootHop;
  /** Since the session began. */
  readonly atMs: number;
  /** Since the hop before. */
  readonly tookMs: number;
};

/** In the order of their times: hops of a batch may arrive in any order. */
export function timedHops({hops, startTime}: BootSession): readonly TimedHop[] {
  const timeOf = (hop: BootHop) => dateOf(hop.time)?.getTime() ?? 0;
  const ordered = hops.toSorted((a, b) => timeOf(a) - timeOf(b));
  const first = ordered[0];
  const startMs = dateOf(startTime)?.getTime() ?? (first ? timeOf(first) : 0);
  return ordered.map((hop, index) => ({
    hop,
    atMs: Math.max(0, timeOf(hop) - startMs),
    tookMs: timeOf(hop) - timeOf(ordered[index - 1] ?? hop),
  }));
}

/** A file comes with its HTTP status, which only says something when it is not the usual one. */
export const hopDetail = ({detail}: BootHop): string =>
  detail.replace(/ 20[06]$/, '').replace(/ ([1-5]\d\d)$/, ' (HTTP $1)');
