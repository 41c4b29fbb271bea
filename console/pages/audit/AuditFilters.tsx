import {useState} from 'react';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Button} from '../../ui/Button.tsx';
import type {AuditSearch} from './audit-filter.ts';
import './audit.css';

const outcomes = [
  {value: '', label: 'All'},
  {value: 'ok', label: 'Done'},
  {value: 'refused', label: 'Refused'},
  {value: 'failed', label: 'Failed'},
];
const spans = [
  {value: '', label: 'All the time'},
  {value: '1h', label: 'Last hour'},
  {value: '24h', label: 'Last 24 hours'},
  {value: '7d', label: 'Last 7 days'},
  {value: '30d', label: 'Last 30 days'},
];

type AuditFiltersProps = {
  readonly search: AuditSearch;
  readonly onChange: (search: AuditSearch) => void;
};

/** Texts count at Enter, choices at once. */
export function AuditFilters({search, onChange}: AuditFiltersProps) {
  const [actor, setActor] = useState(search.actor ?? '');
  const [resource, setResource] = useState(search.resource ?? '');
  const change = (part: AuditSearch) =>
    onChange({...search, actor: actor.trim(), resource: resource.trim(), ...part});
  const submit = () => change({});
  const isTyped =
    actor.trim() !== (search.actor ?? '') || resource.trim() !== (search.resource ?? '');
  const since = search.since ?? '';
  const isListed = spans.some(({value}) => value === since);
  const isNarrowed = Object.values(search).some(Boolean);
  return (
    <Form className="audit-filters" onSubmit={submit} data-page-filter>
      <TextField
        label="Who"
        placeholder="user:alice"
        autoComplete="off"
        spellCheck={false}
        maxLength={128}
        value={actor}
        onChange={event => setActor(event.target.value)}
      />
      <TextField
        label="What it was done to"
        placeholder="machines/ or machines/ID"
        autoComplete="off"
        spellCheck={false}
        maxLength={256}
        value={resource}
        onChange={event => setResource(event.target.value)}
      />
      <SelectField
        label="What came of it"
        choices={outcomes}
        value={search.outcome ?? ''}
        onChange={event => change({outcome: event.target.value})}
      />
      <SelectField
        label="When"
        choices={[...spans, ...(isListed ? [] : [{value: since, label: `Since ${since}`}])]}
        value={since}
        onChange={event => change({since: event.target.value})}
      />
      <div className="pane-actions">
        <Button type="submit" kind={isTyped ? 'primary' : 'plain'}>
          Apply
        </Button>
        {isNarrowed && (
          <Button kind="quiet" onClick={() => onChange({})}>
            Show all
          </Button>
        )}
      </div>
    </Form>
  );
}
