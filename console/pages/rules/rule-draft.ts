import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type Rule,
  Rule_Decision as Decision,
  type RuleSchema,
} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {
  type BootProfileDraft,
  draftOfProfile,
  profileMistakes,
  profileOfDraft,
} from '../../forms/BootProfileFields.tsx';
import {labelsText, parseLabels} from '../../forms/lines.ts';
import {type TemplateUse, templateUses} from '../../forms/TemplatesField.tsx';

/** A rule as it is typed. */
export type RuleDraft = {
  readonly name: string;
  readonly description: string;
  readonly priority: string;
  readonly condition: string;
  readonly decision: 'accept' | 'hold' | 'reject' | 'none';
  readonly group: string;
  readonly labels: string;
  readonly uses: readonly TemplateUse[];
  readonly profile: BootProfileDraft;
  readonly disabled: boolean;
};

const decisions: Readonly<Record<RuleDraft['decision'], Decision>> = {
  accept: Decision.ACCEPT,
  hold: Decision.HOLD,
  reject: Decision.REJECT,
  none: Decision.NONE,
};
const words: Readonly<Record<number, RuleDraft['decision']>> = {
  [Decision.ACCEPT]: 'accept',
  [Decision.HOLD]: 'hold',
  [Decision.REJECT]: 'reject',
};

export const draftOfRule = (rule: Rule | undefined): RuleDraft => ({
  name: rule?.name ?? '',
  description: rule?.description ?? '',
  priority: String(rule?.priority ?? 0),
  condition: rule?.condition ?? '',
  decision: rule ? (words[rule.decision] ?? 'none') : 'hold',
  group: rule?.group ?? '',
  labels: labelsText(rule?.labels ?? {}),
  uses: templateUses(rule?.templates ?? []),
  profile: draftOfProfile(rule?.bootProfile),
  disabled: rule?.disabled ?? false,
});

export const ruleOfDraft = (draft: RuleDraft): MessageInitShape<typeof RuleSchema> => ({
  name: draft.name.trim(),
  description: draft.description.trim(),
  priority: Number(draft.priority),
  condition: draft.condition.trim(),
  decision: decisions[draft.decision],
  group: draft.group,
  labels: parseLabels(draft.labels).labels,
  templates: draft.uses.map(use => ({...use})),
  bootProfile: profileOfDraft(draft.profile),
  disabled: draft.disabled,
});

export const rulePaths = [
  'name',
  'description',
  'priority',
  'condition',
  'decision',
  'group',
  'labels',
  'templates',
  'boot_profile',
  'disabled',
];

/** As rules.proto and groups.proto declare it. */
export const namePattern = /^[a-zA-Z0-9]([a-zA-Z0-9_. -]{0,61}[a-zA-Z0-9])?$/;
export const nameMistake = (name: string): string | undefined =>
  namePattern.test(name.trim())
    ? undefined
    : 'Letters, digits, spaces and _ . - between them; 63 at most';

const priorityMax = 1_000_000;
export const priorityMistake = (text: string): string | undefined =>
  /^-?\d{1,7}$/.test(text) && Math.abs(Number(text)) <= priorityMax
    ? undefined
    : 'A whole number of at most a million';

export const ruleMistakes = (draft: RuleDraft) => ({
  name: nameMistake(draft.name),
  priority: priorityMistake(draft.priority),
  labels: parseLabels(draft.labels).mistake,
});

export const hasMistake = (draft: RuleDraft): boolean =>
  [ruleMistakes(draft), profileMistakes(draft.profile)].some(mistakes =>
    Object.values(mistakes).some(mistake => mistake !== undefined),
  );
