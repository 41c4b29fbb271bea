import type {Webhook} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';

export type HeaderDraft = {readonly name: string; readonly value: string; readonly isKept: boolean};

/** What the form holds; texts as they are typed. */
export type WebhookDraft = {
  readonly name: string;
  readonly url: string;
  readonly eventTypes: string;
  readonly filter: string;
  readonly contentType: string;
  readonly template: string;
  readonly attemptsMax: string;
  readonly enabled: boolean;
  readonly headers: readonly HeaderDraft[];
};

export const draftOf = (webhook: Webhook | undefined): WebhookDraft => ({
  name: webhook?.name ?? '',
  url: webhook?.url ?? '',
  eventTypes: webhook?.eventTypes.join(' ') ?? '',
  filter: webhook?.filter ?? '',
  contentType: webhook?.contentType === 'application/json' ? '' : (webhook?.contentType ?? ''),
  template: webhook?.template ?? '',
  attemptsMax: String(webhook?.attemptsMax || 12),
  enabled: webhook?.enabled ?? true,
  headers: webhook?.headers.map(({name}) => ({name, value: '', isKept: true})) ?? [],
});

export const typesOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

/** As the contract has it; `update` names every field, so that what was emptied is emptied. */
export const fieldsOf = (draft: WebhookDraft) => ({
  name: draft.name.trim(),
  url: draft.url.trim(),
  eventTypes: typesOf(draft.eventTypes),
  filter: draft.filter.trim(),
  contentType: draft.contentType,
  template: draft.template,
  attemptsMax: Number(draft.attemptsMax),
  enabled: draft.enabled,
  headers: draft.headers
    .filter(({name}) => name.trim() !== '')
    .map(({name, value}) => ({name: name.trim(), value})),
});

export const updatePaths = [
  'name',
  'url',
  'event_types',
  'filter',
  'template',
  'content_type',
  'headers',
  'enabled',
  'attempts_max',
];
