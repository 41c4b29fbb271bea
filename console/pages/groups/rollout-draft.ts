import type {MessageInitShape} from '@bufbuild/protobuf';
import type {CreateRolloutRequestSchema} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import type {TemplateUse} from '../../forms/TemplatesField.tsx';

/** A roll-out as it is typed; numbers are texts until they are sent. */
export type RolloutDraft = {
  readonly change: 'rebuild' | 'templates';
  readonly uses: readonly TemplateUse[];
  readonly canary: string;
  readonly waveBy: 'percent' | 'size';
  readonly wave: string;
  readonly maxFailures: string;
  readonly concurrency: string;
  readonly minutes: string;
};

export const firstDraft: RolloutDraft = {
  change: 'rebuild',
  uses: [],
  canary: '1',
  waveBy: 'percent',
  wave: '25',
  maxFailures: '0',
  concurrency: '20',
  minutes: '30',
};

const within = (text: string, least: number, most: number): string | undefined =>
  /^\d{1,6}$/.test(text) && Number(text) >= least && Number(text) <= most
    ? undefined
    : `A whole number from ${least} to ${most}`;

/** As rollouts.proto declares it. */
export const rolloutMistakes = (draft: RolloutDraft) => ({
  uses:
    draft.change === 'templates' && draft.uses.length === 0
      ? 'Choose a template, or rebuild the machines as they are'
      : undefined,
  canary: within(draft.canary, 0, 1000),
  wave: within(draft.wave, 1, draft.waveBy === 'percent' ? 100 : 10_000),
  maxFailures: within(draft.maxFailures, 0, 10_000),
  concurrency: within(draft.concurrency, 1, 100),
  minutes: within(draft.minutes, 1, 1440),
});

export const hasMistake = (draft: RolloutDraft): boolean =>
  Object.values(rolloutMistakes(draft)).some(mistake => mistake !== undefined);

export function requestOf(
  groupName: string,
  draft: RolloutDraft,
  dryRun: boolean,
): MessageInitShape<typeof CreateRolloutRequestSchema> {
  const size = Number(draft.wave);
  return {
    // By name: the operation tells it to people.
    groupId: groupName,
    ...(draft.change === 'templates' && {
      data: {templates: draft.uses.map(use => ({...use}))},
      updateMask: {paths: ['templates']},
    }),
    canary: Number(draft.canary),
    wave:
      draft.waveBy === 'percent'
        ? {case: 'wavePercent', value: size}
        : {case: 'waveSize', value: size},
    maxFailures: Number(draft.maxFailures),
    concurrency: Number(draft.concurrency),
    machineTimeoutSeconds: Number(draft.minutes) * 60,
    dryRun,
  };
}

/** How many machines each wave has; the canary is the first. The server decides: waveSizeOf in server/domain/rollouts.ts. */
export function plannedWaves(total: number, draft: RolloutDraft): readonly number[] {
  const canary = Math.min(Number(draft.canary), total);
  const wave = Number(draft.wave);
  const size = draft.waveBy === 'size' ? wave : Math.max(1, Math.ceil((total * wave) / 100));
  const waves = canary > 0 ? [canary] : [];
  if (size < 1) return waves;
  for (let left = total - canary; left > 0; left -= size) waves.push(Math.min(left, size));
  return waves;
}
