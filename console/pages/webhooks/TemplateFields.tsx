import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {useState} from 'react';
import {SelectField, TextAreaField} from '../../forms/fields.tsx';
import {useLiveBatches} from '../../live/live.tsx';
import {dateOf} from '../../ui/format.ts';
import {Notice} from '../../ui/states.tsx';
import {previewBody, type SampleEvent} from './template-preview.ts';
import {typesOf, type WebhookDraft} from './webhook-draft.ts';

const contentTypes = [
  ['', 'JSON'],
  ['text/plain', 'Text'],
  ['application/x-www-form-urlencoded', 'Form'],
  ['application/xml', 'XML'],
] as const;
const eventsKept = 200;

type TemplateFieldsProps = {
  readonly draft: WebhookDraft;
  readonly onChange: (part: Partial<WebhookDraft>) => void;
};

/** The body, and beside it what would be sent: for the newest event that fits of those that came meanwhile, or for an invented one. */
export function TemplateFields({draft, onChange}: TemplateFieldsProps) {
  const {contentType, template, name} = draft;
  const newest = useNewestEvent(typesOf(draft.eventTypes));
  const event = newest ? sampleOf(newest) : invented;
  const preview = previewBody({template, contentType, webhook: name || 'webhook'}, event);
  const isListed = contentTypes.some(([value]) => value === contentType);
  return (
    <div className="webhook-template">
      <div className="webhook-template-side">
        <SelectField
          label="Content type"
          choices={[
            ...contentTypes.map(([value, label]) => ({value, label})),
            ...(isListed ? [] : [{value: contentType, label: contentType}]),
          ]}
          value={contentType}
          onChange={({target}) => onChange({contentType: target.value})}
        />
        <TextAreaField
          label="Template"
          rows={9}
          spellCheck={false}
          className="input mono"
          placeholder={'{"text": "{{type}}: {{data.reason}}"}'}
          hint="Empty: the event as JSON. {{type}}, {{machine_id}}, {{data.…}}, {{event}} and others stand for its values"
          value={template}
          onChange={({target}) => onChange({template: target.value})}
        />
      </div>
      <div className="webhook-template-side">
        <div className="webhook-preview-title">
          {newest ? `Sent for the newest ${newest.type}` : 'Sent for an event like'}
        </div>
        {'mistake' in preview ? (
          <Notice tone="warn" icon="warning">
            {preview.mistake}
          </Notice>
        ) : (
          <pre className="webhook-preview" aria-label="Preview of the body" tabIndex={0}>
            {preview.body}
          </pre>
        )}
      </div>
    </div>
  );
}

function useNewestEvent(types: readonly string[]): Event | undefined {
  const [seen, setSeen] = useState<readonly Event[]>([]);
  useLiveBatches(({events}) => setSeen([...seen, ...events].slice(-eventsKept)));
  return seen.findLast(
    ({type}) =>
      types.length === 0 ||
      types.some(wanted => (wanted.endsWith('.') ? type.startsWith(wanted) : type === wanted)),
  );
}

const sampleOf = (event: Event): SampleEvent => ({
  id: event.id,
  position: Number(event.position),
  time: dateOf(event.time)?.toISOString() ?? '',
  type: event.type,
  actor: event.actor,
  machine_id: event.machineId,
  subject: event.subject,
  data: event.data ?? {},
});

const invented: SampleEvent = {
  id: '0198c0de-0000-7000-8000-000000000001',
  position: 1204,
  time: '2026-05-01T10:00:00.000Z',
  type: 'machine.failed',
  actor: 'system',
  machine_id: '0198c0de-0000-7000-8000-000000000002',
  subject: '',
  data: {reason: 'The boot took longer than 20 minutes'},
};
