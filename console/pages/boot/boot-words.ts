import {
  BootAction as Action,
  BootHop_Kind as Hop,
  BootSession_State as SessionState,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {lookUp} from '../../ui/tones.ts';

const actionWords: Readonly<Record<number, string>> = {
  [Action.REGISTRATION]: 'Boot the registration image',
  [Action.IMAGE]: 'Boot an image',
  [Action.LOCAL_DISK]: 'Boot the local disk',
  [Action.RETRY]: 'Wait and ask again',
};
export const bootActionWord = (action: number): string => actionWords[action] ?? 'Unknown';

const targetWords: Readonly<Record<number, string>> = {
  [Action.REGISTRATION]: 'the registration image',
  [Action.IMAGE]: 'image',
  [Action.LOCAL_DISK]: 'the local disk',
  [Action.RETRY]: 'nothing: wait and ask again',
};
export const bootTargetWord = (action: number): string => targetWords[action] ?? 'unknown';

export const sessionLook = lookUp({
  [SessionState.OPEN]: {word: 'Booting', tone: 'busy', icon: 'operation'},
  [SessionState.STALLED]: {word: 'Stalled', tone: 'bad', icon: 'warning'},
  [SessionState.COMPLETED]: {word: 'Booted', tone: 'ok', icon: 'check'},
});

/** The way of a boot, in order; a failure is none of its stages. */
export const hopStages: readonly (readonly [kind: Hop, word: string])[] = [
  [Hop.LOADER, 'Loader'],
  [Hop.SCRIPT, 'Script'],
  [Hop.KERNEL, 'Kernel'],
  [Hop.INITRD, 'Initrd'],
  [Hop.TOKEN, 'Token'],
  [Hop.LAYER, 'Layers'],
  [Hop.ENROLLED, 'Enrolled'],
  [Hop.HELLO, 'Hello'],
];
const hopWords = new Map<number, string>(hopStages);
export const hopWord = (kind: number): string =>
  kind === Hop.FAILURE ? 'Failure' : (hopWords.get(kind) ?? 'Step');
