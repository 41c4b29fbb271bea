import type {MessageInitShape} from '@bufbuild/protobuf';
import type {Group, GroupSchema} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {
  type BootProfileDraft,
  draftOfProfile,
  profileMistakes,
  profileOfDraft,
} from '../../forms/BootProfileFields.tsx';
import {wordsOf} from '../../forms/lines.ts';
import {type TemplateUse, templateUses} from '../../forms/TemplatesField.tsx';
import {draftOfGate, type GateDraft, gateMistakes, gateOfDraft} from './gate-draft.ts';
import {nameMistake, priorityMistake} from '../rules/rule-draft.ts';

/** A group as it is typed. */
export type GroupDraft = {
  readonly name: string;
  readonly description: string;
  readonly tags: string;
  readonly kind: 'hand' | 'rule';
  readonly filter: string;
  readonly priority: string;
  readonly uses: readonly TemplateUse[];
  readonly profile: BootProfileDraft;
  readonly gate: GateDraft;
};

export const draftOfGroup = (group: Group | undefined): GroupDraft => ({
  name: group?.name ?? '',
  description: group?.description ?? '',
  tags: group?.tags.join(' ') ?? '',
  kind: group?.filter ? 'rule' : 'hand',
  filter: group?.filter ?? '',
  priority: String(group?.priority ?? 0),
  uses: templateUses(group?.templates ?? []),
  profile: draftOfProfile(group?.bootProfile),
  gate: draftOfGate(group?.imageGate ?? []),
});

export const groupOfDraft = (draft: GroupDraft): MessageInitShape<typeof GroupSchema> => ({
  name: draft.name.trim(),
  description: draft.description.trim(),
  tags: wordsOf(draft.tags),
  filter: draft.kind === 'rule' ? draft.filter.trim() : '',
  priority: Number(draft.priority),
  templates: draft.uses.map(use => ({...use})),
  bootProfile: profileOfDraft(draft.profile),
  imageGate: gateOfDraft(draft.gate),
});

export const groupPaths = [
  'name',
  'description',
  'tags',
  'filter',
  'priority',
  'templates',
  'boot_profile',
  'image_gate',
];

export const groupMistakes = (draft: GroupDraft) => ({
  name: nameMistake(draft.name),
  priority: priorityMistake(draft.priority),
  filter:
    draft.kind === 'rule' && draft.filter.trim() === ''
      ? 'Say which machines: without a filter the group is one by hand'
      : undefined,
});

export const hasMistake = (draft: GroupDraft): boolean =>
  [groupMistakes(draft), profileMistakes(draft.profile), gateMistakes(draft.gate)].some(mistakes =>
    Object.values(mistakes).some(mistake => mistake !== undefined),
  );
