import {
  type Operation,
  type Operation_Counts as Counts,
  type OperationChild,
  OperationChild_State as ChildState,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {Rollout_State as RolloutState} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {plural} from '../../ui/format.ts';
import {lookUp} from '../../ui/tones.ts';

const actionWords: Readonly<Record<string, string>> = {
  update: 'Update',
  build: 'Build',
  reboot: 'Reboot',
  label: 'Label',
  assign: 'Assign to a workspace',
  release: 'Release from a workspace',
  delete: 'Delete',
  rollout: 'Roll-out',
};

/** "Reboot of 40 machines", "Build", with what a dry run is. */
export function operationTitle({kind, action, children, dryRun}: Operation): string {
  if (kind === 'build') return 'Build of an image';
  const word = actionWords[action] ?? (action || kind);
  const many = children ? `: ${plural(children.total, 'machine')}` : '';
  return `${word}${many}${dryRun ? ' (dry run)' : ''}`;
}

export const operationKinds = [
  {value: '', label: 'All kinds'},
  {value: 'build', label: 'Builds'},
  {value: 'bulk', label: 'Bulk'},
  {value: 'rollout', label: 'Roll-outs'},
] as const;

export const childLook = lookUp({
  [ChildState.QUEUED]: {word: 'Queued', tone: 'idle', icon: 'pending'},
  [ChildState.RUNNING]: {word: 'Running', tone: 'busy', icon: 'operation'},
  [ChildState.SUCCEEDED]: {word: 'Succeeded', tone: 'ok', icon: 'check'},
  [ChildState.FAILED]: {word: 'Failed', tone: 'bad', icon: 'warning'},
  [ChildState.SKIPPED]: {word: 'Skipped', tone: 'idle', icon: 'dash'},
  [ChildState.CANCELLED]: {word: 'Cancelled', tone: 'idle', icon: 'cross'},
});

export const rolloutLook = lookUp({
  [RolloutState.QUEUED]: {word: 'Queued', tone: 'idle', icon: 'pending'},
  [RolloutState.RUNNING]: {word: 'Rolling out', tone: 'busy', icon: 'operation'},
  [RolloutState.PAUSED]: {word: 'Paused', tone: 'warn', icon: 'pause'},
  [RolloutState.HALTED]: {word: 'Halted', tone: 'bad', icon: 'warning'},
  [RolloutState.SUCCEEDED]: {word: 'Succeeded', tone: 'ok', icon: 'check'},
  [RolloutState.FAILED]: {word: 'Failed', tone: 'bad', icon: 'warning'},
  [RolloutState.CANCELLED]: {word: 'Cancelled', tone: 'idle', icon: 'cross'},
});

/** The parts of a bar, in the order in which machines go through them; failures first, so that they are seen. */
export const countParts = (counts: Counts) =>
  [
    {key: 'failed', word: 'failed', tone: 'bad', count: counts.failed},
    {key: 'succeeded', word: 'succeeded', tone: 'ok', count: counts.succeeded},
    {key: 'running', word: 'running', tone: 'busy', count: counts.running},
    {key: 'skipped', word: 'skipped', tone: 'warn', count: counts.skipped},
    {key: 'cancelled', word: 'cancelled', tone: 'idle', count: counts.cancelled},
    {key: 'queued', word: 'queued', tone: 'none', count: counts.queued},
  ] as const;

export const countsText = (counts: Counts): string =>
  countParts(counts)
    .filter(({count}) => count > 0)
    .map(({word, count}) => `${count} ${word}`)
    .join(', ') || 'no machines';

/** Which build it was says the link beside it: without its id the same reason of many is one. */
export const childError = ({error}: Pick<OperationChild, 'error'>): string =>
  error.replace(/^Build "[0-9a-f-]{36}" failed: /, 'Its build failed: ');
