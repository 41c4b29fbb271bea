import type {JsonObject, JsonValue} from '@bufbuild/protobuf';
import {KeyValues} from '../../ui/blocks.tsx';

/** What the server saw, as it saw it: names in words, values unchanged. */
export function Evidence({evidence}: {readonly evidence: JsonObject | undefined}) {
  const entries = Object.entries(evidence ?? {});
  if (entries.length === 0) return <p className="muted">None was kept.</p>;
  return (
    <KeyValues
      entries={entries.map(([name, value]) => [
        name.replaceAll('_', ' '),
        <span className="mono">{textOf(value)}</span>,
      ])}
    />
  );
}

function textOf(value: JsonValue): string {
  if (value === null) return '–';
  if (typeof value === 'string') return value === '' ? '–' : value;
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  return typeof value === 'object'
    ? Object.entries(value)
        .map(([name, item]) => `${name.replaceAll('_', ' ')}: ${textOf(item)}`)
        .join('\n')
    : String(value);
}
